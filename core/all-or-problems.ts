import { ProblemsError } from './problem.ts';

/** Waits for all promises, so that nothing keeps running in the background, then throws all failures, each problem once. */
export async function allOrProblems<T>(promises: readonly Promise<T>[]): Promise<readonly T[]> {
  const settled = await Promise.allSettled(promises);
  const failures = new Set(
    settled.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : [])),
  );
  if (failures.size === 0)
    return settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const known = [...failures].filter((failure) => failure instanceof ProblemsError);
  if (known.length < failures.size)
    throw [...failures].find((failure) => !(failure instanceof ProblemsError));
  throw new ProblemsError(
    known.flatMap(({ problems }) => problems),
    known.some(({ exitCode }) => exitCode === 1) ? 1 : 2,
  );
}
