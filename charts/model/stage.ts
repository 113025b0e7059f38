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
] as const;

/** A stage of a cluster's YAML, in the order they are applied: `50-workloads`. */
export type StageName = (typeof stages)[number];
