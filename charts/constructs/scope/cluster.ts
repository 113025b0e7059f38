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

/** What is declared of every cluster. */
interface AnyClusterProps {
  /**
   * Name of the network its pods are on. Pods of clusters on one network reach each other by their own addresses; traffic between
   * networks passes the east-west gateways, which a mesh on one network does not have. A pod keeps the network that it started in.
   */
  readonly network: string;
  /** Region, as the label `topology.kubernetes.io/region` of its nodes says. */
  readonly region: string;
  /** Its control planes, where there is to be more than one for an upgrade. @default - one, of the platform's Istio */
  readonly istio?: ClusterIstio;
  /** How its gateways are reached, where it is another way than the mesh's. @default - as the mesh's `gateways` say */
  readonly gateways?: Gateways;
}

/** Where the nodes of a cluster are within its region. */
type Zones =
  | {
      /** Zone, as the label `topology.kubernetes.io/zone` of its nodes says. */
      readonly zone: string;
      readonly zones?: never;
    }
  | {
      /** Every zone that it has nodes in, as their labels `topology.kubernetes.io/zone` say: one or more. */
      readonly zones: readonly string[];
      readonly zone?: never;
    };

/** A cluster of the mesh, as it is declared: in a region, and in one of its zones or in several. */
export type ClusterProps = AnyClusterProps & Zones;

/** A declared cluster. */
export type Cluster<C extends string = string> = ClusterProps & {
  /** Also what Istio knows the cluster by. */
  readonly name: C;
};

/** The zones of a cluster. */
export function zonesOf({ zone, zones }: Zones): readonly string[] {
  return zones ?? [zone];
}
