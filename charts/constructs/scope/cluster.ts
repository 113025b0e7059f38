import type { Gateways } from './gateway-address.ts';

/** One control plane of a cluster. */
export interface RevisionProps {
  /** Tag of Istio's images, such as `1.30.1`. @default - the platform's */
  readonly tag?: string;
  /** Registry and folder of Istio's images. @default - the platform's */
  readonly hub?: string;
}

/**
 * The control planes that a cluster runs side by side, for an upgrade whose steps are reviewed one by one: add the new
 * one, `use` it, remove the old one (docs/upgrades.md; https://istio.io/latest/docs/setup/upgrade/canary/).
 */
export interface ClusterIstio {
  /** By revision, a DNS label such as `1-30`; the one called `default` has no revision, as where none is declared. */
  readonly revisions: Readonly<Record<string, RevisionProps>>;
  /** The revision that pods and gateways belong to. A change of it makes new pods. @default - the only one */
  readonly use?: string;
  /**
   * Namespaces that are ahead of `use`, or stay behind it, with their revisions: of applications, or the gateways'
   * (`istio-ingress`, `istio-eastwest`). @default - none
   */
  readonly namespaces?: Readonly<Record<string, string>>;
}

/** A cluster of the mesh, as it is declared. */
export interface ClusterProps {
  /**
   * Name of the network its pods are on. Pods of clusters on one network reach each other by their own addresses; traffic between
   * networks passes the east-west gateways, which a mesh on one network does not have. A pod keeps the network that it started in.
   */
  readonly network: string;
  /** Region, as the label `topology.kubernetes.io/region` of its nodes says. */
  readonly region: string;
  /** Zone, as the label `topology.kubernetes.io/zone` of its nodes says. */
  readonly zone: string;
  /** Its control planes, where there is to be more than one for an upgrade. @default - one, of the platform's Istio */
  readonly istio?: ClusterIstio;
  /** How its gateways are reached, where it is another way than the mesh's. @default - as the mesh's `gateways` say */
  readonly gateways?: Gateways;
}

/** A declared cluster. */
export interface Cluster<C extends string = string> extends ClusterProps {
  /** Also what Istio knows the cluster by. */
  readonly name: C;
}
