import { nearest } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';
import { httpVerbs, type ServiceRoute } from '../scope/service-route.ts';

/**
 * What a segment of a path as an AuthorizationPolicy writes it stands for
 * (https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation): itself, `{*}` for one that is not empty, or a last
 * `*` or `{**}` for all that follows, which may be nothing.
 */
type Part = { readonly text: string } | 'one' | 'rest';

const allowed =
  '/api/items, /api/* for all below /api/, or /api/{*}/items, where {*} is one segment and a last {**} all that follow; ' +
  'of letters, digits and - . _ ~ ! $ & ( ) + , : @ =';

/** Characters that Envoy's normalization leaves as they are, and that no server reads anything into. */
const literal = /^[A-Za-z0-9\-._~!$&()+,:@=]*$/;

/**
 * What Envoy's path templates take for one segment, and with `/` for several: the characters of RFC 3986's `pchar`, as its program answers for each
 * of ASCII (`source/extensions/path/uri_template_lib`). A route has to take what a policy does, and nothing else.
 */
const operand = "[a-zA-Z0-9-._~%!$&'()*+,;:@=]+";
const operands = "[a-zA-Z0-9-._~%!$&'()*+,;:@=/]*";

/** What is wrong with a route; plain JavaScript may have passed anything for its verbs and its path. */
export function routeProblems(where: string, { verbs, path }: ServiceRoute): readonly Problem[] {
  return [...verbProblems(where, verbs), ...pathProblems(where, path)];
}

function verbProblems(where: string, verbs: readonly unknown[]): readonly Problem[] {
  const rule = httpVerbs.join(', ');
  if (verbs.length === 0) return [{ where, what: 'names no verb', received: verbs, allowed: rule }];
  return verbs.flatMap((verb, index): Problem[] => {
    if (!httpVerbs.some((known) => known === verb)) {
      const near = typeof verb === 'string' ? nearest(verb.toUpperCase(), httpVerbs) : undefined;
      const fix = near === undefined ? {} : { fix: `did you mean ${near}?` };
      return [{ where, what: 'is not a verb of HTTP', received: verb, allowed: rule, ...fix }];
    }
    return verbs.indexOf(verb) === index
      ? []
      : [{ where, what: 'names a verb twice', received: verb, fix: 'remove one' }];
  });
}

function pathProblems(where: string, path: unknown): readonly Problem[] {
  const what = wrongIn(path);
  return what === undefined ? [] : [{ where, what, received: path, allowed }];
}

/** Why a path could mean something else to a proxy, or to the server, than it says. */
function wrongIn(path: unknown): string | undefined {
  if (typeof path !== 'string' || !path.startsWith('/')) return 'is not a path';
  if (/[?#]/.test(path)) return 'has a query or a fragment, which are no part of a path';
  if (path.includes('%')) {
    return 'is percent-encoded: proxies compare what was sent, and a client may encode another way, or not at all';
  }
  if (path.includes(';')) return 'has a parameter (;), which some servers take for none of the path';
  const texts = path.slice(1).split('/');
  if (/\/\/|\\/.test(path) || texts.some((text) => text === '.' || text === '..')) {
    return 'has what proxies take out of a path before they compare it (//, /./, /../, \\)';
  }
  const isPlain = (text: string, index: number) => {
    const isLast = index === texts.length - 1;
    if (text === '{*}') return true;
    if (text === '{**}') return isLast;
    return text === '*' ? isLast && !path.includes('{') : literal.test(text);
  };
  return texts.every(isPlain) ? undefined : 'is not a path that policies can say';
}

/** A path as an AuthorizationPolicy writes it, in parts. */
function partsOf(path: string): readonly Part[] {
  const texts = path.slice(1).split('/');
  return texts.map((text, index): Part => {
    if (text === '{**}' || (text === '*' && index === texts.length - 1)) return 'rest';
    return text === '{*}' ? 'one' : { text };
  });
}

/** Whether some request has a path that both take, as policies write them. */
export function pathsOverlap(path: string, other: string): boolean {
  const [a, b] = [partsOf(path), partsOf(other)];
  for (let index = 0; ; index++) {
    const [one, two] = [a[index], b[index]];
    if (one === undefined || two === undefined) return one === two;
    if (one === 'rest' || two === 'rest') return true;
    if (!partsMeet(one, two)) return false;
  }
}

function partsMeet(a: Part, b: Part): boolean {
  if (typeof a === 'object' && typeof b === 'object') return a.text === b.text;
  // `{*}` is never empty.
  return [a, b].every((part) => typeof part === 'string' || part.text !== '');
}

/** Whether all that the inner path takes begins as the outer one says, which ends with `*` or `{**}`. */
export function isWithin(inner: string, outer: string): boolean {
  const [a, b] = [partsOf(inner), partsOf(outer)];
  if (b.at(-1) !== 'rest' || a.length < b.length || inner === outer) return false;
  return (
    b.slice(0, -1).every((part, index) => {
      const own = a[index];
      if (own === undefined || own === 'rest') return false;
      if (typeof part === 'object') return typeof own === 'object' && own.text === part.text;
      return typeof own === 'string' || own.text !== '';
    }) &&
    (a.length > b.length || a.at(-1) !== 'rest' || hasMoreText(a, b))
  );
}

/** Of two paths with as many parts, whether the first says more by its words. */
function hasMoreText(a: readonly Part[], b: readonly Part[]): boolean {
  const words = (parts: readonly Part[]) => parts.filter((part) => typeof part === 'object').length;
  return words(a) > words(b);
}

/** How much of a path is said, for an order in which no path comes after one that it is within. */
export function bySpecificity(a: string, b: string): number {
  const [one, other] = [partsOf(a), partsOf(b)];
  const ends = (parts: readonly Part[]) => (parts.at(-1) === 'rest' ? 1 : 0);
  const words = (parts: readonly Part[]) => parts.filter((part) => typeof part === 'object').length;
  return (
    ends(one) - ends(other) ||
    other.length - one.length ||
    words(other) - words(one) ||
    (a < b ? -1 : Number(a > b))
  );
}

/** Such a path as a VirtualService matches it: exactly what a policy takes. */
export function uriMatch(
  path: string,
): { readonly exact: string } | { readonly prefix: string } | { readonly regex: string } {
  if (!path.includes('{')) return path.endsWith('/*') ? { prefix: path.slice(0, -1) } : { exact: path };
  const parts = partsOf(path).map((part) => {
    if (typeof part === 'object') return escape(part.text);
    return part === 'one' ? operand : operands;
  });
  return { regex: `/${parts.join('/')}` };
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
