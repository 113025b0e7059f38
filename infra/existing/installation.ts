import { networkLabel } from '../../charts/constructs/scope/names.ts';
import { supportedIstio, unsupportedIstio } from '../../charts/constructs/scope/istio-versions.ts';
import type { Problem } from '../../core/problem.ts';
import { isDnsLabel } from '../../core/names.ts';
import { own } from '../../core/own.ts';
import { list, text } from '../kube/kube-object.ts';
import type { Plan } from '../plan/plan.ts';
import type { FoundIstio } from './found-istio.ts';

/** Istio's own default (`meshConfig.trustDomain`). */
const defaultTrustDomain = 'cluster.local';
/** Istio's own default (`meshConfig.rootNamespace`). */
const defaultRootNamespace = 'istio-system';
/** The name of a cluster that was given none (`values.global.multiCluster.clusterName`). */
const defaultClusterName = 'Kubernetes';

/** What differs of an installation from what the mesh declares of it, so that calls would fail or go astray. */
export function installationProblems(istio: FoundIstio, plan: Plan): readonly Problem[] {
  return [
    ...versionProblems(istio),
    ...trustDomainProblems(istio, plan),
    ...rootNamespaceProblems(istio, plan),
    // What one cluster calls itself and its network matters to others alone.
    ...(plan.clusters.length > 1 ? [...networkProblems(istio, plan), ...clusterNameProblems(istio)] : []),
  ];
}

function versionProblems(istio: FoundIstio): readonly Problem[] {
  const version = versionOf(istio);
  const what = version === undefined ? undefined : unsupportedIstio(version);
  if (version === undefined || what === undefined) return [];
  return [
    {
      where: `${istio.client.cluster}: Istio`,
      what: `its version ${what}: nobody has tried the mesh's configuration with it`,
      received: version,
      allowed: `1.${supportedIstio.oldest} to 1.${supportedIstio.newest}`,
      fix: 'upgrade that Istio, or declare a revision or tag of a supported one in existing({ istio: { revision } })',
    },
  ];
}

/** That a version is not told, by which what is new in it, or gone from it, goes unseen. */
export function versionWarnings(istio: FoundIstio): readonly string[] {
  if (versionOf(istio) !== undefined) return [];
  const image = text(discovery(istio.istiod), 'image') ?? 'none';
  return [
    `cluster ${istio.client.cluster}: the image of istiod tells no version (${image}), nor does its label app.kubernetes.io/version: whether it is one of 1.${supportedIstio.oldest} to 1.${supportedIstio.newest} was not compared`,
  ];
}

/**
 * The version of istiod: the tag of its image, else the label that charts set; undefined where neither is a version, such as
 * an image by digest alone.
 */
export function versionOf({ istiod }: FoundIstio): string | undefined {
  const image = text(discovery(istiod), 'image')?.replace(/@.*$/, '') ?? '';
  const tag = /:([^:/]+)$/.exec(image)?.[1];
  const label = istiod.metadata.labels?.['app.kubernetes.io/version'];
  return [tag, label]
    .find((version) => version !== undefined && /^v?\d+\.\d+/.test(version))
    ?.replace(/^v/, '');
}

function discovery(istiod: unknown): unknown {
  return list(istiod, 'spec', 'template', 'spec', 'containers').find(
    (container) => text(container, 'name') === 'discovery',
  );
}

/** The value of a variable that istiod's Deployment gives it. */
export function variableOf({ istiod }: FoundIstio, name: string): string | undefined {
  return text(
    list(discovery(istiod), 'env').find((each) => text(each, 'name') === name),
    'value',
  );
}

/** An empty text is none, as in every protobuf message. */
function given(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function rootNamespaceProblems({ client, meshConfig }: FoundIstio, plan: Plan): readonly Problem[] {
  const theirs = given(text(meshConfig, 'rootNamespace')) ?? defaultRootNamespace;
  if (theirs === plan.controlPlaneNamespace) return [];
  return [
    {
      where: `${client.cluster}: Istio`,
      what: 'has another root namespace than the mesh declares: policies there that reach pods of the mesh would go unseen',
      received: theirs,
      allowed: plan.controlPlaneNamespace,
      fix: `declare existing({ istio: { rootNamespace: '${theirs}' } })`,
    },
  ];
}

function trustDomainProblems({ client, meshConfig }: FoundIstio, { trustDomain }: Plan): readonly Problem[] {
  const theirs = given(text(meshConfig, 'trustDomain')) ?? defaultTrustDomain;
  if (theirs === trustDomain) return [];
  return [
    {
      where: `${client.cluster}: Istio`,
      what: 'has another trust domain than the mesh declares: policies would name identities that nobody has, and every call would be refused',
      received: theirs,
      allowed: trustDomain,
      fix: `declare trustDomain: '${theirs}'`,
    },
  ];
}

function networkProblems(istio: FoundIstio, { networks }: Plan): readonly Problem[] {
  const { cluster } = istio.client;
  const declared = own(networks, cluster) ?? '';
  const theirs = networkOf(istio);
  if (theirs === declared) return [];
  return [
    {
      where: `${cluster}: Istio`,
      what: 'has its pods in another network than the mesh declares: calls between clusters would be sent to addresses that lead nowhere',
      received: theirs ?? 'none',
      allowed: declared,
      fix:
        theirs === undefined
          ? `have its owners name the network: the label ${networkLabel}=${declared} of the root namespace, and values.global.network`
          : `declare network: '${theirs}' for cluster ${cluster}`,
    },
  ];
}

/** The network that istiod takes its cluster's pods to be in: by the label of the root namespace, else by the injector's value. */
function networkOf({ root, values }: FoundIstio): string | undefined {
  return given(root?.metadata.labels?.[networkLabel] ?? text(values, 'global', 'network'));
}

/** What its cluster is called by an istiod. */
export function clusterNameOf(istio: FoundIstio): string {
  return variableOf(istio, 'CLUSTER_ID') ?? defaultClusterName;
}

function clusterNameProblems(istio: FoundIstio): readonly Problem[] {
  const { cluster } = istio.client;
  const theirs = clusterNameOf(istio);
  if (theirs === cluster) return [];
  return [
    {
      where: `${cluster}: Istio`,
      what: 'knows its cluster by another name than the mesh declares: rules that send calls to a cluster would match no pod',
      received: theirs,
      allowed: cluster,
      // A declaration takes no other names.
      fix: `${isDnsLabel(theirs) ? `name the cluster ${theirs} in clusters of the declaration, or ` : ''}have its owners set values.global.multiCluster.clusterName`,
    },
  ];
}
