import { resolve } from 'node:path';
import { loadDeclaration } from './workspace/declaration.ts';
import { filledMesh, synthDeclared } from './workspace/synth-mesh.ts';
import { throwIfAny, type Problem } from '../core/problem.ts';
import type { ArgoSource } from '../infra/export/argocd.ts';
import { isStored, type SecretReference, type SecretStore } from '../infra/export/external-secret.ts';
import { writeFolder } from '../infra/export/folder.ts';
import { exportTree } from '../infra/export/tree.ts';
import { readTrustRoots } from '../infra/export/trust-roots.ts';
import { renderIstioReleases } from '../infra/plan/istio-release.ts';
import type { KubeObject } from '../infra/kube/kube-object.ts';
import { planMesh } from '../infra/plan/plan.ts';
import type { Plan, PlanStep } from '../infra/plan/plan.ts';
import { readStackFile } from '../infra/plan/stack-file.ts';
import { describeVolume, mountCa } from '../infra/trust/ca-volume.ts';
import { describeIssuer } from '../infra/trust/issuer.ts';
import { withSigner } from '../infra/trust/signer.ts';
import { ensureTools } from '../toolchain/build.ts';
import { environmentOfStack } from './workspace/target.ts';
import type { Workspace } from './workspace/workspace.ts';

export interface ExportFlags {
  readonly out: string;
  readonly format: 'kustomize' | 'argocd';
  readonly secretStore: string;
  readonly secretKey?: string;
  readonly repo?: string;
  readonly revision?: string;
  readonly path?: string;
  readonly trustRoots?: string;
  readonly stack?: string;
}

/** `npm run export`: writes the plan as a GitOps tree, for those who let Argo CD or kubectl apply it. No cluster is asked. */
export async function exportMesh(at: Workspace, flags: ExportFlags, signal: AbortSignal): Promise<number> {
  const declaration = await loadDeclaration(at.root);
  const environment = environmentOfStack(flags.stack, declaration.environments);
  const { model, rendered } = synthDeclared(filledMesh(declaration, at.root, environment), environment);
  // Who signs the CAs is all that a tree takes of a stack's file: it has no clusters, and the store has the values.
  const trust = flags.stack === undefined ? {} : readStackFile(at.root, flags.stack).trust;
  const plan = withSigner(planMesh(model, rendered), trust);
  const { issuer, caVolume } = plan;
  const { store, argocd } = parseFlags(flags, plan);
  // npm changes to the project's folder; the user's own is in INIT_CWD.
  const here = process.env['INIT_CWD'] ?? '.';
  const trustRoots =
    flags.trustRoots === undefined ? undefined : readTrustRoots(resolve(here, flags.trustRoots));
  const releases = await renderReleases(at, plan, signal);
  const tree = exportTree(plan, {
    release: (step) => releases.get(step) ?? [],
    ...(store && { store }),
    ...(argocd && { argocd }),
    ...(trustRoots !== undefined && { trustRoots }),
  });
  const directory = resolve(here, flags.out);
  const { written, removed, unchanged } = writeFolder(
    directory,
    tree.files,
    `environment ${environment} of mesh ${plan.mesh}`,
  );
  const changes = [
    ...written.map((path) => `wrote ${path}\n`),
    ...removed.map((path) => `removed ${path}\n`),
  ];
  process.stdout.write(
    `${changes.join('')}environment ${environment}, ${directory}: ${written.length} files written, ${removed.length} removed, ${unchanged} unchanged\n\n`,
  );
  const made = plan.steps.flatMap(({ cluster, secrets }) =>
    secrets.filter(isStored).map(({ namespace, name }) => `  ${cluster}: ${namespace}/${name}\n`),
  );
  if (made.length + tree.secrets.length > 0)
    process.stdout.write(
      store === undefined
        ? `Secrets that are not in the tree; create them yourself, before istiod of their cluster starts:\n${made.join('')}`
        : `Secrets that ${store.kind} ${store.name} has to hold:\n${tree.secrets.map(describeSecret).join('')}`,
    );
  if (issuer !== undefined)
    process.stdout.write(
      `CAs: of ${describeIssuer(issuer)}, which has to be in every cluster, with cert-manager, before the tree\n`,
    );
  if (caVolume !== undefined)
    process.stdout.write(
      `CAs: from the ${describeVolume(caVolume)}, which has to be in every cluster before the tree\n`,
    );
  return 0;
}

/** The Istio releases of each step; none on an Istio of others, which needs no istioctl. */
async function renderReleases(
  { cacheDir, logsDir }: Workspace,
  { mesh, steps, caVolume }: Plan,
  signal: AbortSignal,
): Promise<ReadonlyMap<PlanStep, readonly KubeObject[]>> {
  const releases = new Map<PlanStep, readonly KubeObject[]>();
  const released = steps.filter((step) => step.releases.length > 0);
  if (released.length === 0) return releases;
  const report = (line: string) => process.stderr.write(`${line}\n`);
  const { istioctl } = await ensureTools({ cacheDir, logsDir, sets: ['istio'], report, signal });
  for (const step of released) {
    const rendered = await renderIstioReleases(istioctl, step.releases, mesh, signal);
    releases.set(step, caVolume === undefined ? rendered : mountCa(rendered, caVolume));
  }
  return releases;
}

function describeSecret({ cluster, secret, key, properties }: SecretReference): string {
  return `  ${key} (${properties.join(', ')}) for ${secret} of ${cluster}\n`;
}

interface Parsed {
  readonly store: SecretStore | undefined;
  readonly argocd: ArgoSource | undefined;
}

/**
 * Reads the flags that the command line parser cannot judge alone.
 * @throws ProblemsError (exit 2) with everything that is wrong.
 */
export function parseFlags(
  flags: ExportFlags,
  { mesh, issuer, caVolume, existing }: Pick<Plan, 'mesh' | 'issuer' | 'caVolume' | 'existing'>,
): Parsed {
  const store = parseStore(flags, mesh);
  const argocd = parseSource(flags);
  const why =
    existing !== undefined
      ? 'has no effect on an Istio of others, whose owners choose what proxies trust'
      : issuer !== undefined
        ? 'cannot be used with trust.issuer: each control plane distributes the root of its own CA, which does not change'
        : caVolume !== undefined
          ? 'cannot be used with trust.csi: each control plane distributes the roots that are in its volume'
          : undefined;
  const roots =
    flags.trustRoots === undefined || why === undefined
      ? []
      : [{ where: '--trust-roots', what: why, fix: 'leave it out' }];
  throwIfAny([...problemsIn(store), ...problemsIn(argocd), ...roots]);
  return {
    store: 'value' in store ? store.value : undefined,
    argocd: 'value' in argocd ? argocd.value : undefined,
  };
}

type Read<T> = { readonly value: T | undefined } | { readonly problems: readonly Problem[] };

function problemsIn(read: Read<unknown>): readonly Problem[] {
  return 'problems' in read ? read.problems : [];
}

const kinds = ['ClusterSecretStore', 'SecretStore'] as const;

function parseStore({ secretStore, secretKey }: ExportFlags, mesh: string): Read<SecretStore> {
  if (secretStore === 'none') {
    if (secretKey === undefined) return { value: undefined };
    const fix = 'leave it out, or name the store with --secret-store';
    return { problems: [{ where: '--secret-key', what: 'has no effect without a store', fix }] };
  }
  const parts = secretStore.split('/');
  const name = parts.at(-1) ?? '';
  const kind = parts.length === 1 ? kinds[0] : kinds.find((one) => one === parts[0]);
  const problems: Problem[] = [];
  if (kind === undefined || parts.length > 2 || !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name)) {
    problems.push({
      where: '--secret-store',
      what: 'is not a store of the external-secrets operator',
      received: secretStore,
      allowed:
        'NAME (a ClusterSecretStore), SecretStore/NAME, or the word none to create the Secrets yourself',
    });
  }
  const key = secretKey ?? `${mesh}/{cluster}/{secret}`;
  const missing = ['{cluster}', '{secret}'].filter((part) => !key.includes(part));
  if (missing.length > 0) {
    problems.push({
      where: '--secret-key',
      what: `gives several secrets the same key: it has no ${missing.join(' and no ')}`,
      received: key,
      allowed: `such as ${mesh}/{cluster}/{secret}, or ${mesh}-{cluster}-{secret}`,
    });
  }
  return kind === undefined || problems.length > 0 ? { problems } : { value: { kind, name, key } };
}

function parseSource({ format, repo, revision, path }: ExportFlags): Read<ArgoSource> {
  if (format === 'kustomize') {
    const useless = Object.entries({ repo, revision, path }).filter(([, value]) => value !== undefined);
    if (useless.length === 0) return { value: undefined };
    const fix = 'leave it out, or add --format argocd';
    return {
      problems: useless.map(([flag]) => ({
        where: `--${flag}`,
        what: 'has no effect with the format kustomize',
        fix,
      })),
    };
  }
  const problems: Problem[] = [];
  if (repo === undefined) {
    problems.push({
      where: '--repo',
      what: 'is missing: an ApplicationSet names the repository of its tree',
      allowed: 'the URL that Argo CD reads it by',
    });
  } else if (hasPassword(repo)) {
    // Not shown: it is a secret.
    const fix = 'leave user and password out, and give them to Argo CD as repository credentials';
    problems.push({ where: '--repo', what: 'contains a password, which the tree would show', fix });
  }
  const folder = path ?? '.';
  if ((folder !== '.' && !/^[^/]+(\/[^/]+)*$/.test(folder)) || folder.split('/').includes('..')) {
    problems.push({
      where: '--path',
      what: 'is not a folder inside the repository',
      received: folder,
      allowed: 'such as clusters/mesh; left out for the root of the repository',
    });
  }
  return repo === undefined || problems.length > 0
    ? { problems }
    : { value: { repo, revision: revision ?? 'HEAD', path: folder } };
}

function hasPassword(repo: string): boolean {
  return URL.canParse(repo) && new URL(repo).password !== '';
}
