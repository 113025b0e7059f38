import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { overlap } from '../../../http-rule/overlap.ts';
import { anyMethod, patternName, patternsOf } from '../../../http-rule/pattern.ts';
import type { Pattern } from '../../../http-rule/pattern.ts';

/** A pattern of a method, or another request that leads to it: a handshake of WebSocket, a HEAD. */
export interface Way extends Pattern {
  /** For people: `GET /v1/products/{id}`. */
  readonly name: string;
}

/**
 * All ways to a method: its patterns; where it streams, the handshakes of WebSocket on the same paths, which are always GET
 * (RFC 6455, section 4.1), whatever the pattern says; and where it does not, the HEAD of each GET ({@link answersHead}).
 * @param beside - services that the same gateway serves, the method's own among them
 */
export function waysOf(method: DescMethod, beside: readonly DescService[]): readonly Way[] {
  const ways = patternsOf(method).map((pattern) => ({ ...pattern, name: patternName(pattern) }));
  const heads = ways
    .filter((way) => answersHead(way, beside))
    .map((way) => ({ ...way, httpMethod: 'HEAD', name: `the HEAD of ${way.name}` }));
  if (method.methodKind === 'unary') return [...ways, ...heads];
  const others = ways.filter(({ httpMethod }) => httpMethod !== 'GET' && httpMethod !== anyMethod);
  const handshakes = others.map((way) => ({
    ...way,
    httpMethod: 'GET',
    name: `the WebSocket of ${way.name}`,
  }));
  return [...ways, ...heads, ...handshakes];
}

/**
 * Whether the gateway answers HEAD by a pattern of GET, without the body (RFC 9110, section 9.3.2): not where the answer streams,
 * and not on paths that another pattern takes HEAD on, by its own name or by `*`, as the gateway prefers that one.
 * @param beside - services that the same gateway serves, the pattern's own among them
 */
export function answersHead(pattern: Pattern, beside: readonly DescService[]): boolean {
  const { httpMethod, method, template } = pattern;
  const answersOnce = method.methodKind === 'unary' || method.methodKind === 'client_streaming';
  if (httpMethod !== 'GET' || !answersOnce) return false;
  const rivals = beside.flatMap((service) => service.methods.flatMap(patternsOf));
  return !rivals.some(
    (rival) =>
      ['HEAD', anyMethod].includes(rival.httpMethod) && overlap(rival.template.segments, template.segments),
  );
}
