import { overlap, shareHttpMethod } from '../../../http-rule/overlap.ts';
import type { Pattern } from '../../../http-rule/pattern.ts';
import { literalText } from '../../../http-rule/template-text.ts';
import type { Segment, Template } from '../../../http-rule/template.ts';

/**
 * The paths of a pattern as Istio writes them in `operation.paths`
 * (https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation): `{*}` is a segment, `{**}`
 * any number of them. A template operator has to be a whole segment there, so that of `{id}:verb` only the `{id}` can
 * be said: the path lets through more, which {@link indistinguishable} accounts for.
 */
export function istioPaths({ template }: Pattern): readonly string[] {
  const { segments } = template;
  const last = segments.at(-1)?.kind;
  const path = (parts: readonly Segment[]) => `/${parts.map(istioSegment).join('/')}`;
  if (last === 'rest') return [`${path(segments.slice(0, -1))}${colonVerb(template)}`, path(segments)];
  return [last === 'one' ? path(segments) : `${path(segments)}${colonVerb(template)}`];
}

/** `:verb` as Istio writes it, or nothing. */
function colonVerb({ verb }: Template): string {
  return verb === undefined ? '' : `:${literalText(verb)}`;
}

function istioSegment(segment: Segment): string {
  if (segment.kind === 'literal') return literalText(segment.text);
  return segment.kind === 'one' ? '{*}' : '{**}';
}

/** A regular expression (RE2, of the whole value) for the header `:path` of the requests of a pattern. */
export function pathRegex({ template }: Pattern): string {
  const parts = template.segments.map((segment) => {
    if (segment.kind === 'rest') return '(/[^?]*)?';
    return segment.kind === 'one' ? '/[^/?]+' : `/${escape(literalText(segment.text))}`;
  });
  return `${parts.join('')}${escape(colonVerb(template))}(\\?.*)?`;
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

/** Whether there is a request that the {@link istioPaths} of both patterns take. */
export function indistinguishable(a: Pattern, b: Pattern): boolean {
  return shareHttpMethod(a, b) && overlap(asIstioSees(a), asIstioSees(b));
}

/** A verb belongs to a literal, and is lost behind an operator. */
function asIstioSees({ template: { segments, verb } }: Pattern): readonly Segment[] {
  const last = segments.at(-1);
  if (verb === undefined || last?.kind !== 'literal') return segments;
  return [...segments.slice(0, -1), { kind: 'literal', text: `${last.text}:${verb}` }];
}
