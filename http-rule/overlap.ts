import { anyMethod } from './pattern.ts';
import type { Pattern } from './pattern.ts';
import type { Segment, Template } from './template.ts';

/** Whether some path fits both. */
export function overlap(a: readonly Segment[], b: readonly Segment[]): boolean {
  for (let index = 0; ; index++) {
    const [one, other] = [a[index], b[index]];
    if (one?.kind === 'rest' || other?.kind === 'rest') return true;
    if (one === undefined || other === undefined) return one === other;
    if (one.kind === 'literal' && other.kind === 'literal' && one.text !== other.text) return false;
  }
}

/** Whether some HTTP method fits both. */
export function shareHttpMethod(a: Pattern, b: Pattern): boolean {
  return a.httpMethod === anyMethod || b.httpMethod === anyMethod || a.httpMethod === b.httpMethod;
}

/** Whether a template takes a path, which is decoded and has no colon. */
export function takes({ segments, verb }: Template, path: string): boolean {
  const literals = path
    .slice(1)
    .split('/')
    .map((text): Segment => ({ kind: 'literal', text }));
  return verb === undefined && overlap(segments, literals);
}
