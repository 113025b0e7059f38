import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { MeshModel } from '../charts/model.ts';
import type { ClusterAccess } from './connection.ts';
import { labelManaged } from './kube-object.ts';
import type { KubeObject } from './kube-object.ts';
import type { Plan, PlanStep } from './plan.ts';
import { loadBalancerAddress } from './readiness.ts';
import { readerAccount, remoteKubeconfig, remoteSecret } from './remote-secret.ts';
import { Stage } from './stage-component.ts';
import { cacertsSecret } from './trust.ts';
import type { ClusterTrust } from './trust.ts';

/** All that the program needs to know of the world, read before any resource is declared. */
export interface DeployInputs {
  readonly plan: Plan;
  readonly model: MeshModel;
  readonly access: Readonly<Record<string, ClusterAccess>>;
  /** API server addresses as the other clusters reach them. */
  readonly servers: Readonly<Record<string, string>>;
  /** The rendered Istio releases of each cluster, all together. */
  readonly releases: Readonly<Record<string, readonly KubeObject[]>>;
  readonly trust: Readonly<Record<string, ClusterTrust>>;
}

/** Addresses of a cluster's gateways, once their load balancers have them. */
export interface ClusterOutputs {
  readonly ingress: pulumi.Output<string | undefined>;
  readonly eastWest: pulumi.Output<string | undefined>;
}

/**
 * Declares the plan as Pulumi resources: an explicit provider per cluster, a component per stage and cluster,
 * the objects under it, ordered as the apply driver orders them.
 */
export function deployMesh(inputs: DeployInputs): Readonly<Record<string, ClusterOutputs>> {
  const { plan, model } = inputs;
  const providers = new Map(
    plan.clusters.map((cluster) => [cluster, makeProvider(cluster, inputs.access[cluster])]),
  );
  const stages = new Map<string, Stage>();
  const readers = new Map<string, pulumi.Output<string>>();
  for (const step of plan.steps) {
    const provider = providers.get(step.cluster);
    if (provider === undefined)
      throw new Error(`the plan has a step for ${step.cluster}, which is not among its clusters`);
    const after = step.after.flatMap(({ cluster, stage }) => stages.get(`${cluster}/${stage}`) ?? []);
    const stage = new Stage(step, provider, after);
    stages.set(`${step.cluster}/${step.stage}`, stage);
    addSecrets(stage, step, inputs, readers);
    if (step.releases.length > 0) {
      stage.add(inputs.releases[step.cluster] ?? []);
      readers.set(step.cluster, addReaderToken(stage, plan));
    }
    stage.add(step.objects);
    stage.close();
  }
  const address = (cluster: string, gateway: { readonly namespace: string; readonly name: string }) => {
    const { name, namespace } = gateway;
    const service: KubeObject = { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace } };
    const found = [...stages.values()].flatMap((stage) =>
      stage.cluster === cluster ? (stage.resource(service) ?? []) : [],
    );
    const address = found[0]?.status.apply((status) => loadBalancerAddress({ ...service, status }));
    return address ?? pulumi.output(undefined);
  };
  return Object.fromEntries(
    plan.clusters.map((cluster) => [
      cluster,
      { ingress: address(cluster, model.ingress), eastWest: address(cluster, model.eastWest) },
    ]),
  );
}

/**
 * Server-side apply that takes fields over from other managers, and objects that exist already, as the apply driver does:
 * a mesh that one driver made can be carried on by the other.
 */
function makeProvider(cluster: string, access: ClusterAccess | undefined): kubernetes.Provider {
  if (access === undefined) throw new Error(`no kubeconfig context was given for cluster ${cluster}`);
  return new kubernetes.Provider(cluster, {
    kubeconfig: access.kubeconfig,
    context: access.context,
    enableServerSideApply: true,
    enablePatchForce: true,
    upsertExistingObjects: true,
  });
}

function addSecrets(
  stage: Stage,
  step: PlanStep,
  inputs: DeployInputs,
  readers: ReadonlyMap<string, pulumi.Output<string>>,
): void {
  for (const secret of step.secrets) {
    if (secret.kind === 'cacerts') {
      const trust = inputs.trust[step.cluster];
      if (trust === undefined) throw new Error(`no CA was made for cluster ${step.cluster}`);
      stage.add([cacertsSecret(inputs.plan.mesh, secret.namespace, trust)]);
      continue;
    }
    const token = readers.get(secret.of);
    const server = inputs.servers[secret.of];
    if (token === undefined || server === undefined) throw new Error(`nothing opens cluster ${secret.of}`);
    const shape = remoteSecret(inputs.plan.mesh, secret.of, secret.namespace, { server, ca: '', token: '' });
    const data = token.apply((reader) => {
      const { ca, token: bearer } = JSON.parse(reader) as { readonly ca: string; readonly token: string };
      const kubeconfig = remoteKubeconfig(secret.of, { server, ca, token: bearer });
      return { [secret.of]: Buffer.from(kubeconfig).toString('base64') };
    });
    stage.add([{ ...shape, data }]);
  }
}

/**
 * The credentials that a cluster gives to the others' control planes: a token bound to a Secret of type
 * `kubernetes.io/service-account-token`, as `istioctl create-remote-secret` makes it. A token of the TokenRequest API would
 * be new at every run, so every `up` would change every remote secret; this one stays until its Secret is deleted, and the
 * provider waits for the cluster to fill it in.
 */
function addReaderToken(stage: Stage, plan: Plan): pulumi.Output<string> {
  const token = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/service-account-token',
    metadata: {
      name: `${readerAccount}-istio-remote-secret-token`,
      namespace: plan.controlPlaneNamespace,
      annotations: { 'kubernetes.io/service-account.name': readerAccount },
    },
  };
  const object = labelManaged(token, plan.mesh);
  stage.add([object]);
  const resource = stage.resource(object);
  const decode = (data: Readonly<Record<string, string>>, key: string) =>
    Buffer.from(data[key] ?? '', 'base64').toString('utf8');
  return pulumi.secret(
    pulumi
      .output(resource?.data ?? {})
      .apply((data) => JSON.stringify({ ca: decode(data, 'ca.crt'), token: decode(data, 'token') })),
  );
}
