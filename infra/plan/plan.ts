import { trustAnchorsName } from '../../charts/constructs/scope/names.ts';
import type { GatewayModel, MeshModel } from '../../charts/model/mesh-model.ts';
import { stages } from '../../charts/model/stage.ts';
import type { StageName } from '../../charts/model/stage.ts';
import type { RenderedStage } from '../../charts/synth.ts';
import { readinessOf } from './readiness.ts';
import type { Readiness } from './readiness.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { IssuerReference } from './stack-config.ts';

/** An object that is made at apply time, never rendered: only who it is for is planned. */
export type PlannedSecret =
  | {
      /** The cluster's intermediate CA, read by istiod when it starts. */
      readonly kind: 'cacerts';
      readonly namespace: string;
      readonly name: 'cacerts';
    }
  | {
      /** The roots that proxies trust, which every control plane sends them; a ConfigMap, and no secret. */
      readonly kind: 'trust-anchors';
      readonly namespace: string;
      readonly name: string;
    }
  | {
      /** Access for this cluster's istiod to the endpoints of another cluster. */
      readonly kind: 'remote-secret';
      readonly namespace: string;
      readonly name: string;
      /** The cluster whose API server the secret opens. */
      readonly of: string;
    };

export interface StageKey {
  readonly cluster: string;
  readonly stage: StageName;
}

/** One stage in one cluster: secrets first, then the rendered Istio releases, then the objects of dist. */
export interface PlanStep extends StageKey {
  /** Steps that are ready before this one starts. */
  readonly after: readonly StageKey[];
  readonly secrets: readonly PlannedSecret[];
  /** IstioOperators, one per control plane: not applied themselves, but rendered by istioctl into what is applied. */
  readonly releases: readonly KubeObject[];
  /** Applied exactly as rendered. */
  readonly objects: readonly KubeObject[];
  /** What the objects have to reach; the objects of the releases add theirs once they are rendered. */
  readonly ready: readonly Readiness[];
}

/** What both drivers carry out: the steps of every cluster, each after the ones it depends on. */
export interface Plan {
  readonly mesh: string;
  readonly clusters: readonly string[];
  readonly trustDomain: string;
  readonly controlPlaneNamespace: string;
  /** What signs the CAs in place of the root in the trust folder (trust/issuer.ts). */
  readonly issuer?: IssuerReference;
  /** By which every cluster is reached from the others. */
  readonly eastWest: GatewayModel;
  /** Topologically ordered: a step stands after everything in its `after`. */
  readonly steps: readonly PlanStep[];
}

/** Name of the secret that opens `cluster` to another one, as istioctl names it. */
export function remoteSecretName(cluster: string): string {
  return `istio-remote-secret-${cluster}`;
}

/**
 * Plans how the rendered stages reach the clusters. Clusters go through the stages side by side, but for two: the
 * gateways' stage waits for the control planes of all the others, because a remote secret needs the service account
 * that the other cluster's release brings (Istio, multi-primary on different networks, "Enable endpoint discovery"), and
 * the traffic's stage waits for all workloads, so that no call is sent to a version that does not run yet.
 */
export function planMesh(model: MeshModel, rendered: readonly RenderedStage[]): Plan {
  const clusters = model.clusters.map(({ name }) => name);
  const stranger = rendered.find(({ cluster }) => !clusters.includes(cluster));
  if (stranger !== undefined)
    throw new Error(`${stranger.path} is rendered for a cluster the model does not have`);
  const steps = stages.flatMap((stage, index) =>
    clusters.map((cluster): PlanStep => {
      const all = rendered.filter((entry) => entry.cluster === cluster && entry.stage === stage);
      const objects = all.flatMap((entry) => entry.objects);
      const applied = objects.filter((object) => !isIstioOperator(object));
      const previous = stages[index - 1];
      return {
        cluster,
        stage,
        after: previous === undefined ? [] : prerequisites(cluster, previous, stage, clusters),
        secrets: secretsOf(model, cluster, stage),
        releases: objects.filter(isIstioOperator),
        objects: applied,
        ready: readinessOf(applied),
      };
    }),
  );
  const { name: mesh, trustDomain, controlPlane, eastWest } = model;
  return { mesh, clusters, trustDomain, controlPlaneNamespace: controlPlane.namespace, eastWest, steps };
}

function isIstioOperator(object: KubeObject): boolean {
  return object.kind === 'IstioOperator' && object.apiVersion.startsWith('install.istio.io/');
}

function prerequisites(
  cluster: string,
  previous: StageName,
  stage: StageName,
  clusters: readonly string[],
): readonly StageKey[] {
  const others = ['20-gateways', '60-traffic'].includes(stage)
    ? clusters.filter((name) => name !== cluster)
    : [];
  return [cluster, ...others].map((name) => ({ cluster: name, stage: previous }));
}

function secretsOf(model: MeshModel, cluster: string, stage: StageName): readonly PlannedSecret[] {
  const { namespace } = model.controlPlane;
  if (stage === '10-control-plane') return [{ kind: 'cacerts', namespace, name: 'cacerts' }];
  if (stage !== '20-gateways') return [];
  // All istiods sign with the CA of `cacerts` by now: a proxy that asks for a certificate gets one of it.
  const anchors = { kind: 'trust-anchors', namespace, name: trustAnchorsName } as const;
  const others = model.clusters.filter(({ name }) => name !== cluster);
  return [
    anchors,
    ...others.map(({ name }): PlannedSecret => {
      return { kind: 'remote-secret', namespace, name: remoteSecretName(name), of: name };
    }),
  ];
}
