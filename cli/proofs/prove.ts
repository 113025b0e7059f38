import { allOrProblems } from '../../core/all-or-problems.ts';
import type { Proof, ProofContext } from './proof.ts';

/**
 * Makes proofs side by side, and tells what was seen, in their order.
 * @throws ProblemsError (exit 1) with every one that failed.
 */
export function prove(
  proofs: readonly Proof[],
  context: ProofContext,
  report: (line: string) => void,
): Promise<readonly string[]> {
  return allOrProblems(
    proofs.map(async ({ title, run }) => {
      const line = `${title}: ${await run(context)}`;
      report(line);
      return line;
    }),
  );
}
