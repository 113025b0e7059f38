import type { Segment, Template } from './template.ts';

/**
 * Writes a path template as google/api/http.proto has it, `/v1/{name=shelves/*}/books/{id}:verb`: for people, and as
 * the label of a route, which has as many values as there are routes.
 */
export function templateText({ segments, variables, verb }: Template): string {
  const parts: string[] = [];
  for (let index = 0; index < segments.length;) {
    const variable = variables.find(({ start }) => start === index);
    if (variable === undefined) parts.push(...segments.slice(index, ++index).map(segmentText));
    else {
      const inside = segments.slice(variable.start, variable.end).map(segmentText).join('/');
      const name = variable.fieldPath.join('.');
      parts.push(inside === '*' ? `{${name}}` : `{${name}=${inside}}`);
      index = variable.end;
    }
  }
  return `/${parts.join('/')}${verb === undefined ? '' : `:${verb}`}`;
}

function segmentText(segment: Segment): string {
  if (segment.kind === 'literal') return segment.text;
  return segment.kind === 'one' ? '*' : '**';
}

/**
 * Writes the text of a literal, or of a verb, as the LITERAL of the grammar: what may stand in one as it is, is not
 * percent-encoded.
 */
export function literalText(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9\-._~!$&'()+,;@]+/g, (part) =>
    encodeURIComponent(part).replaceAll('*', '%2A'),
  );
}
