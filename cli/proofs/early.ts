import { prove, type Proof, type ProofContext } from './proof.ts';

/** How an apply went: it found nothing to change and everything ready, it changed something, or it failed. */
export type Outcome = 'unchanged' | 'changed' | 'failed';

export interface EarlyProofs {
  /** Ends the early ones: something will be changed, so that they show nothing. */
  readonly discard: () => void;
  /**
   * Once it is known how the apply went: what the proofs saw; nothing after one that failed.
   * @throws ProblemsError (exit 1) with every proof that failed.
   */
  readonly seen: (outcome: Outcome) => Promise<readonly string[]>;
}

/**
 * Begins proofs while an apply still compares what is in the clusters with what is declared. If it finds nothing to change,
 * the calls went through the mesh as it is declared, and count; otherwise they are made again. A failure never counts: its
 * limit began to run before everything was ready.
 * @param contextOf - the clients and addresses, which need not be there yet
 * @param early - whether to begin now: the mesh was up before
 */
export function beginProofs(
  proofs: readonly Proof[],
  contextOf: (signal: AbortSignal) => Promise<ProofContext>,
  early: boolean,
  signal: AbortSignal,
  report: (line: string) => void,
): EarlyProofs {
  const discarded = new AbortController();
  const held: string[] = [];
  const make = async (until: AbortSignal, tell: (line: string) => void) =>
    prove(proofs, await contextOf(until), tell);
  const first = early
    ? make(AbortSignal.any([signal, discarded.signal]), (line) => held.push(line)).catch(() => undefined)
    : undefined;
  return {
    discard: () => {
      discarded.abort();
    },
    seen: async (outcome) => {
      if (outcome !== 'unchanged') discarded.abort();
      // Also when it does not count: it takes its pods away.
      const seen = await first;
      if (outcome === 'failed') return [];
      signal.throwIfAborted();
      if (seen === undefined || discarded.signal.aborted) return make(signal, report);
      for (const line of held) report(line);
      return seen;
    },
  };
}
