import type { LabAddresses } from './addresses.ts';

export interface LabOptions {
  /** Whose lab it is: the path of the state folder, as in `stateDir`. Known to the machine as long as the lab is up. */
  readonly owner: string;
  /** Folder for all the lab keeps, `.meshwright` of the checkout. */
  readonly stateDir: string;
  /** File that is given a context for each cluster. */
  readonly kubeconfig: string;
  readonly addresses: LabAddresses;
  readonly clusters: readonly {
    readonly name: string;
    /** Pods of clusters on one network reach each other. */
    readonly network: string;
    readonly region: string;
    readonly zone: string;
  }[];
  /** Folders with the daemons' programs. */
  readonly programs: readonly string[];
  readonly pauseImage: string;
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** Limit of a wait for something in a node, in milliseconds. */
export const waitMs = 180_000;
