import { stringify } from 'yaml';
import { text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { StageKey } from '../plan/plan.ts';

/** Location of the tree for Argo CD. */
export interface ArgoSource {
  /** URL of the Git repository that the tree is committed to. */
  readonly repo: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** Folder of the tree in the repository; `.` is its root. */
  readonly path: string;
}

/** A folder of the tree, with the objects it applies. */
export interface ExportedStage extends StageKey {
  readonly objects: readonly KubeObject[];
}

const label = { cluster: 'meshwright/cluster', stage: 'meshwright/stage' } as const;

/**
 * An ApplicationSet with one Application per cluster and stage. At every change its RollingSync goes from stage to stage in
 * all clusters, and starts a stage when the Applications of the previous one are healthy everywhere. That satisfies the
 * plan's `after`, because a step depends only on the previous stage.
 * https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Progressive-Syncs/
 */
export function applicationSet(
  mesh: string,
  stages: readonly ExportedStage[],
  source: ArgoSource,
): KubeObject {
  const names = [...new Set(stages.map(({ stage }) => stage))].sort();
  const folder = source.path === '.' ? '' : `${literal(source.path)}/`;
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: { name: mesh },
    spec: {
      goTemplate: true,
      goTemplateOptions: ['missingkey=error'],
      generators: [{ list: { elements: stages.map(({ cluster, stage }) => ({ cluster, stage })) } }],
      strategy: {
        type: 'RollingSync',
        rollingSync: {
          steps: names.map((name) => ({
            matchExpressions: [{ key: label.stage, operator: 'In', values: [name] }],
          })),
        },
      },
      // Deleting an Application by mistake must not delete the mesh.
      syncPolicy: { preserveResourcesOnDeletion: true },
      template: {
        metadata: {
          name: `${mesh}-{{.cluster}}-{{.stage}}`,
          labels: { [label.cluster]: '{{.cluster}}', [label.stage]: '{{.stage}}' },
        },
        spec: {
          project: 'default',
          source: {
            repoURL: literal(source.repo),
            targetRevision: literal(source.revision),
            path: `${folder}{{.cluster}}/{{.stage}}`,
            kustomize: { patches },
          },
          destination: { name: '{{.cluster}}' },
          syncPolicy: {
            // RollingSync disables automated sync itself, but prunes only when this is set.
            automated: { prune: true },
            retry: { limit: 5, backoff: { duration: '10s', factor: 2, maxDuration: '3m' } },
            syncOptions: [
              'ServerSideApply=true',
              'SkipDryRunOnMissingResource=true',
              'RespectIgnoreDifferences=true',
              'PruneLast=true',
            ],
          },
          ignoreDifferences: [...webhookDifferences, ...replicaDifferences(stages)],
        },
      },
    },
  };
}

/** Text that a Go template gives as it is. */
function literal(text: string): string {
  return text.replaceAll('{{', '{{`{{`}}');
}

/** Deleting these kinds would delete objects of others; the apply driver keeps them too. The target selects the objects; the names in the patch do not matter. */
const patches = [
  {
    target: { kind: 'Namespace|CustomResourceDefinition' },
    patch: stringify({
      apiVersion: 'any/v1',
      kind: 'Any',
      metadata: {
        name: 'any',
        annotations: { 'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false' },
      },
    }),
  },
];

/** Fields that istiod writes into its webhooks once it runs (see `yieldToIstiod`). */
const webhookDifferences = [
  ['MutatingWebhookConfiguration', ['.webhooks[]?.clientConfig.caBundle']],
  ['ValidatingWebhookConfiguration', ['.webhooks[]?.clientConfig.caBundle', '.webhooks[]?.failurePolicy']],
].map(([kind, jqPathExpressions]) => ({ group: 'admissionregistration.k8s.io', kind, jqPathExpressions }));

/**
 * Replica counts that an autoscaler sets. Also those of a Deployment that states none: one that did when it was synced last
 * would be brought to 1, the API server's default, when the number leaves the tree.
 */
function replicaDifferences(stages: readonly ExportedStage[]): readonly object[] {
  const differences = stages.flatMap(({ cluster, objects }) => {
    const scaled = stages
      .filter((stage) => stage.cluster === cluster)
      .flatMap((stage) => stage.objects)
      .filter(({ kind }) => kind === 'HorizontalPodAutoscaler');
    return objects
      .filter(({ kind }) => kind === 'Deployment')
      .filter(({ metadata }) =>
        scaled.some(
          (scaler) =>
            scaler.metadata.namespace === metadata.namespace &&
            text(scaler, 'spec', 'scaleTargetRef', 'name') === metadata.name,
        ),
      )
      .map(({ metadata: { name, namespace } }) => ({
        group: 'apps',
        kind: 'Deployment',
        name,
        namespace,
        jsonPointers: ['/spec/replicas'],
      }));
  });
  return [...new Map(differences.map((entry) => [`${entry.namespace}/${entry.name}`, entry])).values()];
}
