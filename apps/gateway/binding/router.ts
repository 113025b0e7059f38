import { anyMethod } from '../../../http-rule/pattern.ts';
import type { Template } from '../../../http-rule/template.ts';
import { decodeSegment } from '../codec/path.ts';

/** What a request's method and path lead to. */
export type Found<T> =
  | {
      readonly kind: 'route';
      readonly target: T;
      readonly template: Template;
      readonly path: readonly string[];
    }
  /** The path is known, with these HTTP methods. */
  | { readonly kind: 'method'; readonly allowed: readonly string[] }
  | { readonly kind: 'none' };

interface Leaf<T> {
  readonly target: T;
  readonly template: Template;
}

/** Segments shared by templates form a tree, so that a look-up costs the path's length and not the number of routes. */
interface Node<T> {
  readonly literals: Map<string, Node<T>>;
  one: Node<T> | undefined;
  /** Below each verb, by HTTP method: the routes that end here. */
  readonly ends: Map<string, Map<string, Leaf<T>>>;
  /** The same for those that end with `**` here. */
  readonly rests: Map<string, Map<string, Leaf<T>>>;
}

/**
 * Finds the route of a request. Where several templates match, the more literal one wins, segment by segment from the
 * left: a literal before `*` before `**`, and one with the path's verb before one that takes the colon as text.
 */
export class Router<T> {
  readonly #root: Node<T> = emptyNode();

  /** @throws Error when another route has the same method and an equal template */
  add(httpMethod: string, template: Template, target: T): void {
    let node = this.#root;
    const rest = template.segments.at(-1)?.kind === 'rest';
    for (const segment of template.segments) {
      if (segment.kind === 'literal') node = getOrAdd(node.literals, segment.text, emptyNode<T>);
      else if (segment.kind === 'one') node = node.one ??= emptyNode();
    }
    const byMethod = getOrAdd(
      rest ? node.rests : node.ends,
      template.verb ?? '',
      () => new Map<string, Leaf<T>>(),
    );
    if (byMethod.has(httpMethod)) throw new Error('another route has this method and an equal path');
    byMethod.set(httpMethod, { target, template });
  }

  /**
   * @param rawPath - as received, before any decoding, without the query
   * @throws StatusError INVALID_ARGUMENT for malformed percent-encoding in a segment compared with a literal
   */
  find(httpMethod: string, rawPath: string): Found<T> {
    if (!rawPath.startsWith('/')) return { kind: 'none' };
    const segments = rawPath.slice(1).split('/');
    const last = segments.at(-1) ?? '';
    const allowed = new Set<string>();
    const colon = last.lastIndexOf(':');
    if (colon >= 0) {
      const path = [...segments.slice(0, -1), last.slice(0, colon)];
      const found = search(this.#root, path, 0, decodeSegment(last.slice(colon + 1)), httpMethod, allowed);
      if (found !== undefined) return { kind: 'route', ...found, path };
    }
    const found = search(this.#root, segments, 0, '', httpMethod, allowed);
    if (found !== undefined) return { kind: 'route', ...found, path: segments };
    return allowed.size > 0 ? { kind: 'method', allowed: [...allowed].sort() } : { kind: 'none' };
  }
}

function search<T>(
  node: Node<T>,
  path: readonly string[],
  index: number,
  verb: string,
  httpMethod: string,
  allowed: Set<string>,
): Leaf<T> | undefined {
  const segment = path[index];
  if (segment === undefined) {
    const ended = pick(node.ends.get(verb), httpMethod, allowed);
    if (ended !== undefined) return ended;
  } else if (segment !== '') {
    const next = node.literals.get(decodeSegment(segment));
    const found = next && search(next, path, index + 1, verb, httpMethod, allowed);
    if (found !== undefined) return found;
    const other = node.one && search(node.one, path, index + 1, verb, httpMethod, allowed);
    if (other !== undefined) return other;
  }
  return pick(node.rests.get(verb), httpMethod, allowed);
}

function pick<T>(
  byMethod: ReadonlyMap<string, Leaf<T>> | undefined,
  httpMethod: string,
  allowed: Set<string>,
): Leaf<T> | undefined {
  const leaf = byMethod?.get(httpMethod) ?? byMethod?.get(anyMethod);
  if (leaf === undefined) for (const method of byMethod?.keys() ?? []) allowed.add(method);
  return leaf;
}

function emptyNode<T>(): Node<T> {
  return { literals: new Map(), one: undefined, ends: new Map(), rests: new Map() };
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
