import { toYaml } from '../../core/yaml.ts';
import { describe, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Plan, PlanStep } from '../plan/plan.ts';
import { caVolumeOf } from '../trust/ca-volume.ts';
import { anchorsOf } from '../trust/objects.ts';
import { waves } from '../kube/waves.ts';
import { applicationSet } from './argocd.ts';
import type { ArgoSource } from './argocd.ts';
import { isStored, referSecret } from './external-secret.ts';
import type { SecretReference, SecretStore } from './external-secret.ts';

export interface ExportOptions {
  /** The Istio releases of a step, rendered (istio-release.ts). */
  readonly release: (step: PlanStep) => readonly KubeObject[];
  /** @default - no ExternalSecret is written; the plan's secrets have to be created by other means */
  readonly store?: SecretStore;
  /** @default - no ApplicationSet is written */
  readonly argocd?: ArgoSource;
  /** PEM of the roots that proxies trust, the one that signs first. @default - only the roots of each cluster's `cacerts` */
  readonly trustRoots?: string;
}

/** A GitOps tree: the content of each file, and the secrets that a store has to provide. */
export interface ExportTree {
  /** Content by path, relative to the tree's folder. */
  readonly files: ReadonlyMap<string, string>;
  readonly secrets: readonly SecretReference[];
}

/**
 * Renders the plan as a tree of kustomizations, with a folder `<cluster>/<stage>` for each step that applies anything:
 * `secrets.yaml` (references, never values), `trust.yaml` (trust anchors, if given), `istio.yaml` (the rendered release) and `objects.yaml`, in the order of the
 * drivers. The same plan gives the same bytes.
 */
export function exportTree(plan: Plan, options: ExportOptions): ExportTree {
  const { store, argocd, release, trustRoots } = options;
  const stages = plan.steps.flatMap((step) => {
    const { cluster, stage } = step;
    const secrets =
      store === undefined
        ? []
        : step.secrets.filter(isStored).map((secret) => referSecret(plan.mesh, cluster, secret, store));
    const files = [
      { file: 'secrets.yaml', objects: secrets.map(({ object }) => object) },
      { file: 'trust.yaml', objects: trustRoots === undefined ? [] : anchors(plan, step, trustRoots) },
      { file: 'istio.yaml', objects: inOrder(release(step)) },
      { file: 'objects.yaml', objects: inOrder(step.objects) },
    ].filter(({ objects }) => objects.length > 0);
    return files.length === 0
      ? []
      : [{ cluster, stage, files, secrets, objects: files.flatMap(({ objects }) => objects) }];
  });
  const written = stages.flatMap(({ cluster, stage, files, objects }) => [
    [`${cluster}/${stage}/kustomization.yaml`, kustomization(files, objects)] as const,
    ...files.map((entry) => [`${cluster}/${stage}/${entry.file}`, documents(entry.objects)] as const),
  ]);
  const set =
    argocd === undefined
      ? []
      : ([['applicationset.yaml', documents([applicationSet(plan.mesh, stages, argocd)])]] as const);
  return {
    files: new Map([...written, ...set].sort(([a], [b]) => (a < b ? -1 : 1))),
    secrets: stages.flatMap(({ secrets }) => secrets),
  };
}

/** The trust anchors as the drivers create them, in the file that a root rotation changes. */
function anchors(plan: Plan, step: PlanStep, roots: string): readonly KubeObject[] {
  return step.secrets
    .filter(({ kind }) => kind === 'trust-anchors')
    .map(({ namespace }) => anchorsOf(plan.mesh, namespace, roots));
}

function inOrder(objects: readonly KubeObject[]): readonly KubeObject[] {
  return waves(objects).flat();
}

function kustomization(files: readonly { readonly file: string }[], objects: readonly KubeObject[]): string {
  const patches = objects.flatMap(requireCa);
  return toYaml({
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    // Keep the listed order, which is the order to apply in; kustomize would sort by kind.
    sortOptions: { order: 'fifo' },
    resources: files.map(({ file }) => file),
    ...(patches.length > 0 && { patches }),
  });
}

/**
 * istiod mounts `cacerts` if it exists, and otherwise signs with a CA of its own that no other cluster trusts. The drivers
 * create the Secret first. A tree is applied all at once and the Secret is fetched later, so the pod has to wait for it, unless it
 * reads its CA from another volume.
 */
function requireCa(object: KubeObject): readonly object[] {
  if (object.kind !== 'Deployment' || caVolumeOf(object) !== undefined) return [];
  const index = list(object, 'spec', 'template', 'spec', 'volumes').findIndex(
    (volume) => text(volume, 'secret', 'secretName') === 'cacerts',
  );
  if (index < 0) return [];
  const { name, namespace } = object.metadata;
  const path = `/spec/template/spec/volumes/${index}/secret/optional`;
  return [
    {
      target: { kind: object.kind, name, namespace },
      patch: toYaml([{ op: 'add', path, value: false }]),
    },
  ];
}

/** Documents in order, each under a comment that names it. */
function documents(objects: readonly KubeObject[]): string {
  return objects.map((object) => `# ${describe(object)}\n${toYaml(object)}`).join('---\n');
}
