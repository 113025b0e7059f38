import type { Problem } from '../../core/problem.ts';
import { list, title } from '../model/rendered.ts';
import type { RenderedObject } from '../model/rendered.ts';

interface Match {
  readonly route: number;
  /** Its place in the route's list; undefined where the route has no list, and so takes every call. */
  readonly index: number | undefined;
  readonly conditions: Readonly<Record<string, unknown>>;
}

/**
 * Routes are tried in order, and in each its matches: one that takes only what an earlier one takes is never reached, and
 * neither is a route with such matches alone.
 */
export function shadowed({ object, where }: RenderedObject): readonly Problem[] {
  return ['http', 'tls', 'tcp'].flatMap((protocol) => {
    const seen: Match[] = [];
    return list(object, 'spec', protocol).flatMap((route, number): readonly Problem[] => {
      const at = `${title(object)}: spec.${protocol}.${number}`;
      const matches = matchesOf(route, number);
      const covered = matches.map((match) => {
        const by = seen.find((earlier) => covers(earlier.conditions, match.conditions));
        seen.push(match);
        return { match, by };
      });
      const before = covered.map(({ by }) => by).filter((by) => by !== undefined && by.route < number);
      if (before.length === matches.length) {
        const what = `${at} is never reached, because spec.${protocol}.${before[0]?.route ?? 0} matches all its calls first`;
        return [{ where, what, fix: 'put it first, or remove it' }];
      }
      return covered.flatMap(({ match, by }): readonly Problem[] => {
        if (by === undefined) return [];
        const first = `spec.${protocol}.${by.route}${by.index === undefined ? '' : `.match.${by.index}`}`;
        const what = `${at}.match.${match.index ?? 0} is never reached, because ${first} matches all its calls first`;
        return [{ where, what, fix: 'put it first, or remove it' }];
      });
    });
  });
}

function matchesOf(route: unknown, number: number): readonly Match[] {
  const matches = list(route, 'match');
  if (matches.length === 0) return [{ route: number, index: undefined, conditions: {} }];
  return matches.map((match, index) => ({ route: number, index, conditions: conditionsOf(match) }));
}

/** Without what matches nothing, or everything. */
function conditionsOf(match: unknown): Match['conditions'] {
  return Object.fromEntries(
    Object.entries(match ?? {}).filter(
      ([key, value]: [string, unknown]) =>
        !['name', 'statPrefix'].includes(key) && JSON.stringify(value) !== '{"prefix":"/"}',
    ),
  );
}

/** Whether calls that meet the narrower conditions meet the wider ones. What cannot be told does not. */
function covers(wider: Match['conditions'], narrower: Match['conditions']): boolean {
  if (wider['ignoreUriCase'] !== narrower['ignoreUriCase'] && 'uri' in wider) return false;
  return Object.entries(wider).every(([key, value]) => {
    if (key === 'ignoreUriCase') return true;
    const other = narrower[key];
    if (other === undefined) return false;
    if (JSON.stringify(value) === JSON.stringify(other)) return true;
    if (['headers', 'withoutHeaders', 'queryParams', 'sourceLabels'].includes(key))
      return isPart(value, other);
    if (key === 'gateways')
      return Array.isArray(value) && Array.isArray(other) && other.every((one) => value.includes(one));
    return isPrefix(value, other);
  });
}

/** Whether the second has all entries of the first. */
function isPart(wider: unknown, narrower: unknown): boolean {
  const entries = new Map(Object.entries(narrower ?? {}));
  return Object.entries(wider ?? {}).every(
    ([key, value]) => entries.has(key) && JSON.stringify(value) === JSON.stringify(entries.get(key)),
  );
}

/** Whether the first is a beginning, and the second a text or a beginning that begins so. */
function isPrefix(wider: unknown, narrower: unknown): boolean {
  const [prefix, other] = [wider, narrower].map((match) => match as Readonly<Record<string, unknown>>);
  const start = prefix?.['prefix'];
  const rest = other?.['prefix'] ?? other?.['exact'];
  return typeof start === 'string' && typeof rest === 'string' && rest.startsWith(start);
}
