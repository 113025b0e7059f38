import type { Report, RunFile } from '../../test/runner/messages.ts';

/** The first message to a worker: the sources to load in the place of those on disk, and the mutant to switch on. */
export interface Load {
  /** By `file:` URL. */
  readonly sources: ReadonlyMap<string, string>;
  readonly mutant: string | undefined;
}

export type ToWorker = Load | RunFile;

/** A worker tells, with the end of each file, the ids of the mutants that its tests have reached. */
export type FromWorker = Report | { readonly kind: 'reached'; readonly ids: readonly string[] };
