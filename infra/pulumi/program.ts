import { own } from '../../core/own.ts';
import type * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { GatewayModel, MeshModel } from '../../charts/model/mesh-model.ts';
import type { ClusterAccess } from '../kube/connection.ts';
import { formatEndpoint, gatewayEndpoints } from '../reach/gateway-endpoint.ts';
import { describe, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { Cluster, MeshDeployment } from './mesh-component.ts';
import type { ClusterOutputs, MeshOutputs } from './mesh-component.ts';
import type { Plan, PlanStep, PlannedSecret } from '../plan/plan.ts';
import { Stage } from './stage-component.ts';
import { isCaCertificate } from '../trust/issuer.ts';
import type { ObjectOptions } from './stage-component.ts';

/** The inputs of the program: its data, and the work that it does in the clusters between two stages. */
export interface DeployInputs {
  readonly plan: Plan;
  readonly model: MeshModel;
  readonly access: Readonly<Record<string, ClusterAccess>>;
  /** Providers of clusters that a program makes. */
  readonly providers?: Readonly<Record<string, kubernetes.Provider>>;
  /** The rendered objects of all Istio releases of a step, for the steps that have releases. */
  readonly releases: ReadonlyMap<PlanStep, readonly KubeObject[]>;
  /** End of validity of each cluster's intermediate CA. */
  readonly trustNotAfter: Readonly<Record<string, Date>>;
  /** Creates a secret when its step is reached. */
  readonly makeSecret: (step: PlanStep, secret: PlannedSecret) => Promise<KubeObject>;
  /** Completes a step once its objects are in the cluster; later steps wait for it. */
  readonly settle: (step: PlanStep, release: readonly KubeObject[]) => Promise<void>;
  /** Reports why pods of a step do not start, while the provider waits for its objects, until `done` is aborted. */
  readonly tell?: (step: PlanStep, release: readonly KubeObject[], done: AbortSignal) => Promise<void>;
  /** Whether a secret keeps its value in the state, because a preview cannot reach the clusters to create it. */
  readonly isKept?: (secret: PlannedSecret) => boolean;
}

/**
 * Declares the plan as Pulumi resources: a component for the mesh, in it one per cluster with an explicit provider, in that
 * one per stage, and in that the objects, in the order of the apply driver. Returns when all steps are complete.
 */
export async function deployMesh(inputs: DeployInputs): Promise<MeshOutputs> {
  const { plan } = inputs;
  const mesh = new MeshDeployment(plan.mesh);
  const clusters = new Map(
    plan.clusters.map((name) => {
      const access = own(inputs.providers, name) ?? own(inputs.access, name);
      if (access === undefined) throw new Error(`no kubeconfig context was given for cluster ${name}`);
      return [name, new Cluster(name, access, mesh, plan.mesh)];
    }),
  );
  const stages = new Map<string, { readonly stage: Stage; readonly ready: Promise<unknown> }>();
  for (const step of plan.steps) {
    const cluster = clusters.get(step.cluster);
    if (cluster === undefined)
      throw new Error(`the plan has a step for ${step.cluster}, which is not among its clusters`);
    const before = step.after.flatMap(({ cluster, stage }) => stages.get(`${cluster}/${stage}`) ?? []);
    stages.set(`${step.cluster}/${step.stage}`, addStage(step, cluster, before, inputs));
  }
  const resource = (cluster: string, object: KubeObject) =>
    [...stages.values()]
      .filter(({ stage }) => stage.cluster.name === cluster)
      .flatMap(({ stage }) => stage.resource(object) ?? [])[0];
  const outputs = Object.fromEntries(
    [...clusters].map(([name, cluster]) => {
      const made = outputsOf(name, inputs, (object) => resource(name, object)?.status);
      cluster.close(made);
      return [name, made];
    }),
  );
  const all = { trustDomain: inputs.model.trustDomain, clusters: outputs };
  mesh.close(all);
  // Pulumi waits only for resources: without this, the work after a step's resources would end with the program.
  await Promise.all([...stages.values()].map(({ ready }) => ready));
  return all;
}

function addStage(
  step: PlanStep,
  cluster: Cluster,
  before: readonly { readonly stage: Stage; readonly ready: Promise<unknown> }[],
  inputs: DeployInputs,
) {
  const release = inputs.releases.get(step) ?? [];
  const after = Promise.all(before.map(({ ready }) => ready)).then(() => before.map(({ stage }) => stage));
  const scaled = scaledByAutoscalers([...release, ...step.objects]);
  const stage = new Stage(cluster, step.stage, after, (object) => optionsOf(object, scaled));
  for (const secret of step.secrets) {
    const { name, namespace, kind } = secret;
    const object = {
      apiVersion: 'v1',
      kind: kind === 'trust-anchors' ? 'ConfigMap' : 'Secret',
      metadata: { name, namespace },
    };
    const kept = inputs.isKept?.(secret) === true;
    const made = after.then(() =>
      kept ? { ...object, type: 'Opaque', data: {} } : inputs.makeSecret(step, secret),
    );
    stage.addMade(object, made, {
      // The CA: losing it would cut every running workload off.
      protect: kind === 'cacerts',
      ignoreChanges: kept ? ['metadata', 'type', 'data'] : [],
    });
  }
  stage.add(release);
  stage.add(step.objects);
  const closed = new AbortController();
  const ready = stage.close().then(() => {
    closed.abort();
    return inputs.settle(step, release);
  });
  // What the steps before fail with is told by them.
  void after.then(() => inputs.tell?.(step, release, closed.signal)).catch(() => undefined);
  return { stage, ready };
}

/** The objects that autoscalers scale, as `describe` names them. */
function scaledByAutoscalers(objects: readonly KubeObject[]): ReadonlySet<string> {
  return new Set(
    objects
      .filter(({ kind }) => kind === 'HorizontalPodAutoscaler')
      .map(
        (scaler) =>
          `${text(scaler, 'spec', 'scaleTargetRef', 'kind') ?? ''} ${scaler.metadata.namespace ?? ''}/${text(scaler, 'spec', 'scaleTargetRef', 'name') ?? ''}`,
      ),
  );
}

/**
 * A CA is protected, whoever signs it. Where an autoscaler sets the number of pods, the number stays unchanged, also in the
 * `up` that hands it over to the autoscaler: the provider sends the live number as long as it owns the field, because
 * dropping the field would mean one pod.
 */
function optionsOf(object: KubeObject, scaled: ReadonlySet<string>): ObjectOptions {
  if (scaled.has(describe(object))) return { ignoreChanges: ['spec.replicas'] };
  return isCaCertificate(object) ? { protect: true } : {};
}

function outputsOf(
  cluster: string,
  { access, model, trustNotAfter }: DeployInputs,
  statusOf: (object: KubeObject) => pulumi.Output<unknown> | undefined,
): ClusterOutputs {
  const addresses = (gateway: GatewayModel | undefined) => {
    if (gateway === undefined) return pulumi.output<readonly string[]>([]);
    const { name, namespace } = gateway;
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace } };
    const status: pulumi.Output<unknown> = statusOf(service) ?? pulumi.output(undefined);
    return status.apply((seen) =>
      gatewayEndpoints(gateway, cluster, { ...service, status: seen }).map(formatEndpoint),
    );
  };
  return {
    context: own(access, cluster)?.context ?? '',
    ingress: addresses(model.ingress),
    eastWest: addresses(model.eastWest),
    trustNotAfter: own(trustNotAfter, cluster)?.toISOString() ?? '',
  };
}
