import { trustAnchorsName } from '../../charts/constructs/scope/names.ts';
import type { ExistingIstioModel, GatewayModel, MeshModel } from '../../charts/model/mesh-model.ts';
import { stages } from '../../charts/model/stage.ts';
import type { StageName } from '../../charts/model/stage.ts';
import type { RenderedStage } from '../../charts/synth.ts';
import { readinessOf } from './readiness.ts';
import type { Readiness } from './readiness.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { CaVolume, IssuerReference } from './stack-config.ts';

/** An object that is created at apply time and never rendered: the plan only says what it is for. */
export type PlannedSecret =
  | {
      /** The cluster's intermediate CA, read by istiod when it starts. */
      readonly kind: 'cacerts';
      readonly namespace: string;
      readonly name: 'cacerts';
    }
  | {
      /** The roots that proxies trust, which every control plane sends them; a ConfigMap, not a secret. */
      readonly kind: 'trust-anchors';
      readonly namespace: string;
      readonly name: string;
    }
  | {
      /** Access for this cluster's istiod to the endpoints of another cluster. */
      readonly kind: 'remote-secret';
      readonly namespace: string;
      readonly name: string;
      /** The cluster whose API server the secret gives access to. */
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
  /** IstioOperators, one per control plane: not applied themselves, but rendered by istioctl to objects that are applied. */
  readonly releases: readonly KubeObject[];
  /** Applied exactly as rendered. */
  readonly objects: readonly KubeObject[];
  /** States that the objects have to reach; the objects of the releases add theirs once they are rendered. */
  readonly ready: readonly Readiness[];
}

/** What both drivers apply: the steps of every cluster, each after the ones it depends on. */
export interface Plan {
  readonly mesh: string;
  readonly clusters: readonly string[];
  readonly trustDomain: string;
  readonly controlPlaneNamespace: string;
  /** What signs the CAs in place of the root in the trust folder (trust/issuer.ts). */
  readonly issuer?: IssuerReference;
  /** What holds the CAs in place of the Secrets `cacerts` (trust/ca-volume.ts). */
  readonly caVolume?: CaVolume;
  /** The gateway by which every cluster is reached from the others. @default - none of the mesh's own */
  readonly eastWest?: GatewayModel;
  /** The Istio of others that the mesh runs on: nothing of a control plane is planned. @default - the mesh installs its own */
  readonly existing?: ExistingIstioModel;
  /** The mesh's own gateway for traffic from outside, by whose pods clusters of one network try each other. @default - none of its own */
  readonly ingress?: GatewayModel;
  /** By cluster: its network. */
  readonly networks: Readonly<Record<string, string>>;
  /** Services of others that workloads of the mesh call. @default - none */
  readonly existingServices?: MeshModel['existingServices'];
  /** Workloads of others that call workloads of the mesh. @default - none */
  readonly existingCallers?: MeshModel['existingCallers'];
  /** Topologically ordered: a step stands after everything in its `after`. */
  readonly steps: readonly PlanStep[];
}

/** Name of the secret that gives another cluster access to `cluster`, as istioctl names it. */
export function remoteSecretName(cluster: string): string {
  return `istio-remote-secret-${cluster}`;
}

/**
 * Plans how the rendered stages are applied to the clusters. Clusters go through the stages in parallel, with three
 * exceptions: the gateways' stage waits for the control planes of all other clusters, because a remote secret needs the
 * service account that the other cluster's release creates (Istio, multi-primary on different networks, "Enable endpoint
 * discovery"), the traffic stage waits for all workloads, so that no call goes to a version that does not run yet, and jobs wait for all of the mesh,
 * which they may call.
 */
export function planMesh(model: MeshModel, rendered: readonly RenderedStage[]): Plan {
  const clusters = model.clusters.map(({ name }) => name);
  const stranger = rendered.find(({ cluster }) => !clusters.includes(cluster));
  if (stranger !== undefined)
    throw new Error(`${stranger.path} is rendered for a cluster that is not in the model`);
  // Most meshes have none.
  const planned = stages.filter(
    (stage) => stage !== '70-jobs' || rendered.some((one) => one.stage === stage),
  );
  const steps = planned.flatMap((stage, index) =>
    clusters.map((cluster): PlanStep => {
      const all = rendered.filter((entry) => entry.cluster === cluster && entry.stage === stage);
      const objects = all.flatMap((entry) => entry.objects);
      const applied = objects.filter((object) => !isIstioOperator(object));
      const previous = planned[index - 1];
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
  const { name: mesh, trustDomain, controlPlane, ingress, eastWest, existing } = model;
  const { existingServices, existingCallers } = model;
  return {
    ...{ mesh, clusters, trustDomain, controlPlaneNamespace: controlPlane.namespace, steps },
    networks: Object.fromEntries(model.clusters.map(({ name, network }) => [name, network])),
    ...(eastWest !== undefined && { eastWest }),
    ...(ingress !== undefined && existing === undefined && { ingress }),
    ...(existing !== undefined && { existing }),
    ...(existingServices && { existingServices }),
    ...(existingCallers && { existingCallers }),
  };
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
  const others = ['20-gateways', '60-traffic', '70-jobs'].includes(stage)
    ? clusters.filter((name) => name !== cluster)
    : [];
  return [cluster, ...others].map((name) => ({ cluster: name, stage: previous }));
}

function secretsOf(model: MeshModel, cluster: string, stage: StageName): readonly PlannedSecret[] {
  // On an Istio of others the CA, its roots and the remote secrets belong to them.
  if (model.existing !== undefined) return [];
  const { namespace } = model.controlPlane;
  if (stage === '10-control-plane') return [{ kind: 'cacerts', namespace, name: 'cacerts' }];
  if (stage !== '20-gateways') return [];
  // By now all istiods sign with the CA of `cacerts`: a proxy that requests a certificate gets one signed by it.
  const anchors = { kind: 'trust-anchors', namespace, name: trustAnchorsName } as const;
  const others = model.clusters.filter(({ name }) => name !== cluster);
  return [
    anchors,
    ...others.map(({ name }): PlannedSecret => {
      return { kind: 'remote-secret', namespace, name: remoteSecretName(name), of: name };
    }),
  ];
}
