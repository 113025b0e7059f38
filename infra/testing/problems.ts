import { ProblemsError } from '../../core/problem.ts';

/** The whole message and exit code of the problem that the work ends with. */
export async function problemOf(
  work: Promise<unknown>,
): Promise<{ readonly message: string; readonly exitCode: number }> {
  const error = await work.then(
    () => new Error('nothing was thrown'),
    (failure: unknown) => failure,
  );
  if (!(error instanceof ProblemsError)) throw error;
  return { message: error.message, exitCode: error.exitCode };
}
