/**
 * The stages of a cluster's YAML, in the order they are applied: a stage may lean on what the ones before it hold.
 * The names are also the file names in dist/.
 */
export const stages = [
  '00-namespaces',
  '10-control-plane',
  '20-gateways',
  '30-mesh',
  '40-services',
  '50-workloads',
  '60-traffic',
  '70-jobs',
] as const;

/** The stage after which the mesh works: what comes later may call all of it, wherever that is. */
export const lastOfMesh = '60-traffic';

/** A stage of a cluster's YAML, in the order they are applied: `50-workloads`. */
export type StageName = (typeof stages)[number];
