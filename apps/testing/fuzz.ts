/**
 * How often a property is tried: the number given, or that of the environment's MESHWRIGHT_FUZZ_RUNS (CONTRIBUTING.md).
 */
export function fuzzRuns(usual: number): number {
  return Number(process.env['MESHWRIGHT_FUZZ_RUNS'] ?? usual);
}

/** The time a test of properties may take: more when they are tried more often. Milliseconds. */
export const fuzzLimitMs = Math.max(60_000, fuzzRuns(0) * 50);
