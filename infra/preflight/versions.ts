import { supportedIstio } from '../../charts/constructs/scope/istio-versions.ts';
import { run } from '../../core/run.ts';
import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { text } from '../kube/kube-object.ts';
import type { Plan } from '../plan/plan.ts';

/**
 * Minor versions of Kubernetes 1 that the mesh runs on. The oldest is what Istio's installer requires (`MinK8SVersion`);
 * the newest is the version that all tests run with.
 */
export const supportedKubernetes = { oldest: 32, newest: 36 } as const;

/**
 * A cluster older than supported is an error. A newer one is only a warning: Kubernetes keeps its served APIs for several
 * releases, and managed clusters upgrade by themselves.
 */
export async function versionProblems(
  client: KubeClient,
  warn: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const answer = await client.request('GET', '/version', { ...(signal && { signal }) });
  const version = text(answer, 'gitVersion') ?? '';
  const minor = minorOf(version);
  const { oldest, newest } = supportedKubernetes;
  if (minor === undefined || minor < oldest) {
    return [
      {
        where: `cluster ${client.cluster}`,
        what: 'its Kubernetes version is older than the oldest supported one',
        received: version,
        allowed: `1.${oldest} to 1.${newest}`,
        fix: 'upgrade the cluster, or use another one',
      },
    ];
  }
  if (minor > newest) {
    warn(`cluster ${client.cluster} runs Kubernetes ${version}; the newest version tested is 1.${newest}`);
  }
  return [];
}

/**
 * istioctl contains the charts that a release is rendered from, and charts of an older minor version do not fit the
 * control plane they would install. An istioctl that does not run is reported by rendering, not here.
 */
export async function istioctlProblems(
  istioctl: string,
  plan: Plan,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const version = await versionOf(istioctl, signal);
  const minor = minorOf(version ?? '');
  if (version === undefined || minor === undefined) return [];
  const tags = plan.steps
    .flatMap(({ releases }) => releases)
    .flatMap((release) => text(release, 'spec', 'tag') ?? []);
  const needed = Math.max(supportedIstio.oldest, ...tags.flatMap((tag) => minorOf(tag) ?? []));
  if (minor >= needed && minor <= supportedIstio.newest) return [];
  return [
    {
      where: 'istioctl',
      what: `${istioctl} does not have the version of the Istio that it would render`,
      received: version,
      allowed: needed === supportedIstio.newest ? `1.${needed}` : `1.${needed} to 1.${supportedIstio.newest}`,
      fix: 'name an istioctl of the declared version in the stack configuration (key istioctl)',
    },
  ];
}

async function versionOf(istioctl: string, signal: AbortSignal | undefined): Promise<string | undefined> {
  try {
    const { stdout } = await run(istioctl, ['version', '--remote=false', '--output', 'json'], {
      timeoutMs: 20_000,
      ...(signal && { signal }),
    });
    return text(JSON.parse(stdout), 'clientVersion', 'version');
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

/** The minor version of `v1.36.3`, `1.29.2-distroless` and the like. */
function minorOf(version: string): number | undefined {
  const minor = /^v?1\.(\d+)(?!\d)/.exec(version)?.[1];
  return minor === undefined ? undefined : Number(minor);
}
