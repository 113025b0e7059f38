import { stringify } from 'yaml';
import { field, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { StageKey } from '../plan/plan.ts';

/** Where Argo CD finds the tree. */
export interface ArgoSource {
  /** URL of the Git repository that the tree is committed to. */
  readonly repo: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** Folder of the tree in the repository; `.` is its root. */
  readonly path: string;
}

/** A folder of the tree with what it applies. */
export interface ExportedStage extends StageKey {
  readonly objects: readonly KubeObject[];
}

const label = { cluster: 'meshwright/cluster', stage: 'meshwright/stage' } as const;

/**
 * An ApplicationSet with an Application per cluster and stage. Its RollingSync goes from stage to stage, at every change
 * and in all clusters, and begins one when the Applications of the one before are healthy everywhere. That is at least
 * what the plan's `after` asks for, as a step only ever depends on the stage before its own.
 * https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Progressive-Syncs/
 */
export function applicationSet(
  mesh: string,
  stages: readonly ExportedStage[],
  source: ArgoSource,
): KubeObject {
  const names = [...new Set(stages.map(({ stage }) => stage))].sort();
  const folder = source.path === '.' ? '' : `${source.path}/`;
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
      // Who deletes an Application by mistake keeps the mesh.
      syncPolicy: { preserveResourcesOnDeletion: true },
      template: {
        metadata: {
          name: `${mesh}-{{.cluster}}-{{.stage}}`,
          labels: { [label.cluster]: '{{.cluster}}', [label.stage]: '{{.stage}}' },
        },
        spec: {
          project: 'default',
          source: {
            repoURL: source.repo,
            targetRevision: source.revision,
            path: `${folder}{{.cluster}}/{{.stage}}`,
            kustomize: { patches },
          },
          destination: { name: '{{.cluster}}' },
          syncPolicy: {
            // RollingSync switches the automation itself off, and prunes when this says so.
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

/** Others' objects would go with these; the apply driver leaves them, too. The target selects, whatever the patch names. */
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

/** What istiod writes into its webhooks once it runs (see `yieldToIstiod`). */
const webhookDifferences = [
  ['MutatingWebhookConfiguration', ['.webhooks[]?.clientConfig.caBundle']],
  ['ValidatingWebhookConfiguration', ['.webhooks[]?.clientConfig.caBundle', '.webhooks[]?.failurePolicy']],
].map(([kind, jqPathExpressions]) => ({ group: 'admissionregistration.k8s.io', kind, jqPathExpressions }));

/** Numbers that an autoscaler writes, where the rendered Deployment states one as well: those of a release may. */
function replicaDifferences(stages: readonly ExportedStage[]): readonly object[] {
  const differences = stages.flatMap(({ cluster, objects }) => {
    const scaled = stages
      .filter((stage) => stage.cluster === cluster)
      .flatMap((stage) => stage.objects)
      .filter(({ kind }) => kind === 'HorizontalPodAutoscaler');
    return objects
      .filter((object) => object.kind === 'Deployment' && field(object, 'spec', 'replicas') !== undefined)
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
