import { readFileSync } from 'node:fs';
import { ProblemsError } from '../../core/problem.ts';

/**
 * What a suite of others is expected to fail: lines of a file, `NAME: REASON`, beside comments and empty ones.
 * @param file - path
 * @returns the reasons by name, in the order of the names
 * @throws ProblemsError (exit code 1) for a line without a reason, and for a name that is there twice
 */
export function expectedFailures(file: string): ReadonlyMap<string, string> {
  const reasons = new Map<string, string>();
  const problems = readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line, at) => {
      if (line === '' || line.startsWith('#')) return [];
      const where = `${file}:${at + 1}`;
      const [, name, reason] = /^(\S.*?): (\S.*)$/.exec(line) ?? [];
      if (name === undefined || reason === undefined)
        return [{ where, what: 'not a name with a reason', received: line, allowed: 'NAME: REASON' }];
      if (reasons.has(name)) return [{ where, what: `${name} is there twice` }];
      reasons.set(name, reason);
      return [];
    });
  if (problems.length > 0) throw new ProblemsError(problems, 1);
  return new Map([...reasons].sort(([a], [b]) => (a < b ? -1 : 1)));
}
