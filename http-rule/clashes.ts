import { takes } from './overlap.ts';
import { patternName } from './pattern.ts';
import type { Pattern } from './pattern.ts';
import { methodName } from './problem.ts';
import type { RuleProblem } from './problem.ts';

/** Patterns that take exactly the requests of an earlier one: nobody could tell which method is meant. */
export function equalProblems(patterns: readonly Pattern[]): readonly RuleProblem[] {
  const first = new Map<string, Pattern>();
  return patterns.flatMap((pattern): RuleProblem[] => {
    const key = requestsOf(pattern);
    const rival = first.get(key);
    if (rival === undefined) {
      first.set(key, pattern);
      return [];
    }
    const { method, source } = pattern;
    const what = `the HTTP method and path are also those of ${patternName(rival)} of ${methodName(rival.method)}`;
    const received = patternName(pattern);
    return [{ method, template: source, what, received, fix: 'change the path of one of them' }];
  });
}

/** Patterns that take a path which the gateway answers itself, whatever the HTTP method. */
export function reservedProblems(
  patterns: readonly Pattern[],
  reservedPaths: readonly string[],
): readonly RuleProblem[] {
  return patterns.flatMap(({ method, source, template }): RuleProblem[] => {
    const path = reservedPaths.find((each) => takes(template, each));
    if (path === undefined) return [];
    const what = `the path takes ${path}, which the gateway itself answers`;
    return [{ method, template: source, what, received: source, fix: 'begin it with a prefix such as /v1' }];
  });
}

/** The same for two patterns that take the same requests: names of variables do not count. */
function requestsOf({ httpMethod, template: { segments, verb } }: Pattern): string {
  return JSON.stringify([
    httpMethod,
    verb,
    ...segments.map((each) => (each.kind === 'literal' ? [each.text] : each.kind)),
  ]);
}
