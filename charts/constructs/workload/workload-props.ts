import type { WorkloadTracing } from '../scope/tracing.ts';
import type { PodsProps } from './pods/pods.ts';

/** What the class of all workloads is made with. */
export interface WorkloadProps<C extends string> extends PodsProps<C> {
  /** Folder with config.yml, relative to the project root. @default - all of it is said in code */
  readonly app?: string | undefined;
  /** Clusters its pods run in. @default - every cluster of the mesh */
  readonly placement?: readonly C[] | undefined;
  /** Its share of traces. @default - the mesh's */
  readonly tracing?: WorkloadTracing | undefined;
}

/** What the version of a workload is called that declares none. */
export const firstVersion = 'v1';
