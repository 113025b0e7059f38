import { parse } from 'yaml';
import { defaultRevision, revisionLabel } from '../../charts/model/labels.ts';
import type { ExistingIstioModel } from '../../charts/model/mesh-model.ts';
import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';

/** What gives pods their proxies. */
export interface Injector {
  /** Of its control plane, where the declared one is a tag. */
  readonly revision: string;
  /** The MutatingWebhookConfiguration of the declared revision or tag. */
  readonly configuration: KubeObject;
  /** Of its ConfigMap: which pods get a proxy that do not say whether they want one; undefined where it was not seen. */
  readonly policy: string | undefined;
}

/** The Istio of others in a cluster, as far as it can be read. */
export interface FoundIstio {
  readonly client: KubeClient;
  readonly injector: Injector;
  /** Namespace of istiod. */
  readonly namespace: string;
  readonly istiod: KubeObject;
  /** `istio.mesh.v1alpha1.MeshConfig`, parsed from YAML. */
  readonly meshConfig: unknown;
  /** `istio.mesh.v1alpha1.MeshNetworks`, parsed from YAML; undefined where there are none. */
  readonly meshNetworks: unknown;
  /** What the injector's templates get of the values of the installation. */
  readonly values: unknown;
  /** Istio's root namespace; undefined where it does not exist. */
  readonly root: KubeObject | undefined;
}

/** What was found: the Istio, or what is wrong, or what cannot be seen. */
export type Found =
  | { readonly istio: FoundIstio }
  | { readonly problem: Problem }
  | { readonly unseen: string; readonly injector: Injector };

/** Label of the webhooks that `istioctl tag` makes. */
const tagLabel = 'istio.io/tag';
const injectors = '.sidecar-injector.istio.io';

/**
 * Finds the control plane that the declared revision or tag stands for: by the webhook that injects its proxies, whose Service
 * leads to istiod's namespace. Reads only.
 */
export async function findIstio(
  client: KubeClient,
  { revision, rootNamespace }: ExistingIstioModel,
  signal: AbortSignal | undefined,
): Promise<Found> {
  const { cluster } = client;
  const type = await client.typeOf('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', signal);
  const all = type === undefined ? [] : await client.list(type, { ...(signal && { signal }) });
  const known = all.filter((configuration) => injectorOf(configuration) !== undefined);
  const configuration =
    known.find((each) => each.metadata.labels?.[tagLabel] === revision) ??
    known.find((each) => !hasTag(each) && revisionOf(each) === revision);
  if (configuration === undefined) return { problem: withoutInjector(cluster, revision, known) };
  const service = injectorOf(configuration)?.service;
  const own = revisionOf(configuration);
  if (service === undefined) {
    return {
      injector: { revision: own, configuration, policy: undefined },
      unseen: `cluster ${cluster}: istiod of revision ${own} runs outside of it: its version, mesh configuration and what it knows of other clusters were not compared`,
    };
  }
  const suffix = own === defaultRevision ? '' : `-${own}`;
  const get = (apiVersion: string, kind: string, name: string) =>
    client.get({ apiVersion, kind, metadata: { name, namespace: service } }, signal);
  const [istiod, mesh, injector, root] = await Promise.all([
    get('apps/v1', 'Deployment', `istiod${suffix}`),
    get('v1', 'ConfigMap', `istio${suffix}`),
    get('v1', 'ConfigMap', `istio-sidecar-injector${suffix}`),
    client.get({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: rootNamespace } }, signal),
  ]);
  if (istiod === undefined || mesh === undefined) {
    const missing =
      istiod === undefined ? `Deployment ${service}/istiod${suffix}` : `ConfigMap ${service}/istio${suffix}`;
    return {
      problem: {
        where: `${cluster}: Istio`,
        what: `its injector of revision ${own} is there, but ${missing} is not: no pod would get a proxy that works`,
        fix: 'repair that installation of Istio, or declare another revision in existing({ istio })',
      },
    };
  }
  return {
    istio: {
      ...{ client, namespace: service, istiod, root },
      injector: {
        revision: own,
        configuration,
        policy: text(parsed(text(injector, 'data', 'config')), 'policy'),
      },
      meshConfig: parsed(text(mesh, 'data', 'mesh')),
      meshNetworks: parsed(text(mesh, 'data', 'meshNetworks')),
      values: parsed(text(injector, 'data', 'values')),
    },
  };
}

function withoutInjector(cluster: string, revision: string, known: readonly KubeObject[]): Problem {
  const names = [
    ...new Set(known.map((each) => each.metadata.labels?.[tagLabel] ?? revisionOf(each))),
  ].sort();
  return {
    where: `${cluster}: Istio`,
    what: 'no injector has the declared revision or tag: pods would start without a proxy',
    received: revision,
    ...(names.length > 0 && { allowed: names.join(', ') }),
    fix:
      names.length > 0
        ? 'declare one of these in existing({ istio: { revision } })'
        : 'install Istio there first, or declare a platform that brings its own',
  };
}

/** Namespace of the Service that a configuration's injector is called by; undefined for no injector. */
function injectorOf(configuration: KubeObject): { readonly service: string | undefined } | undefined {
  const webhook = list(configuration, 'webhooks').find((each) => text(each, 'name')?.endsWith(injectors));
  return webhook === undefined
    ? undefined
    : { service: text(webhook, 'clientConfig', 'service', 'namespace') };
}

function hasTag({ metadata: { labels = {} } }: KubeObject): boolean {
  return labels[tagLabel] !== undefined;
}

function revisionOf({ metadata: { labels = {} } }: KubeObject): string {
  return labels[revisionLabel] ?? defaultRevision;
}

/** What does not parse says nothing. */
function parsed(yaml: string | undefined): unknown {
  if (yaml === undefined) return undefined;
  try {
    return parse(yaml);
  } catch {
    return undefined;
  }
}
