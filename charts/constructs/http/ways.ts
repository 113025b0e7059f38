import type { DescMethod } from '@bufbuild/protobuf';
import { anyMethod, patternName, patternsOf } from '../../../http-rule/pattern.ts';
import type { Pattern } from '../../../http-rule/pattern.ts';

/** A pattern of a method, or a handshake of WebSocket that leads to it. */
export interface Way extends Pattern {
  /** For people: `GET /v1/products/{id}`. */
  readonly name: string;
}

/**
 * All ways to a method: its patterns and, where it streams, the handshakes of WebSocket on the same paths. Those are
 * always GET (RFC 6455, section 4.1), whatever the pattern says.
 */
export function waysOf(method: DescMethod): readonly Way[] {
  const ways = patternsOf(method).map((pattern) => ({ ...pattern, name: patternName(pattern) }));
  if (method.methodKind === 'unary') return ways;
  const others = ways.filter(({ httpMethod }) => httpMethod !== 'GET' && httpMethod !== anyMethod);
  return [
    ...ways,
    ...others.map((way) => ({ ...way, httpMethod: 'GET', name: `the WebSocket of ${way.name}` })),
  ];
}
