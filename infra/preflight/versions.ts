import { supportedIstio } from '../../charts/constructs/scope/istio-versions.ts';
import { run } from '../../core/run.ts';
import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { text } from '../kube/kube-object.ts';
import type { Plan } from '../plan/plan.ts';

/**
 * Minor versions of Kubernetes 1 that the mesh runs on. The oldest is what Istio's installer asks for (`MinK8SVersion`);
 * the newest is the one everything is tested with.
 */
export const supportedKubernetes = { oldest: 32, newest: 36 } as const;

/**
 * A cluster older than supported is refused. A newer one is only warned of: Kubernetes keeps its served APIs for several
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
        what: 'its Kubernetes is older than supported',
        received: version,
        allowed: `1.${oldest} to 1.${newest}`,
        fix: 'upgrade the cluster, or use another one',
      },
    ];
  }
  if (minor > newest) {
    warn(
      `cluster ${client.cluster} runs Kubernetes ${version}, and the newest that this is tested with is 1.${newest}`,
    );
  }
  return [];
}

/**
 * istioctl brings the charts that a release is rendered from: those of an older minor version do not know the control
 * plane they would install. Nothing is said of one that does not run; rendering does.
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
      what: `${istioctl} is of another version than the Istio that it would render`,
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
