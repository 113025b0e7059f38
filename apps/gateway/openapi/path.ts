import type { Segment, Template } from '../../../http-rule/template.ts';

/** A part of a path that OpenAPI has as one parameter: one segment of a template. */
export interface PathPart {
  /** Between braces in the path. */
  readonly name: string;
  /** Index of the variable it is of, if there is one. */
  readonly variable: number | undefined;
  /** Whether it is all of its variable. */
  readonly whole: boolean;
  /** Whether it stands for any number of segments. */
  readonly rest: boolean;
}

/** A template in the words of OpenAPI. */
export interface OpenApiPath {
  /** With a name in braces for each part. */
  readonly path: string;
  /** The same for all paths that OpenAPI cannot tell apart. */
  readonly shape: string;
  readonly parts: readonly PathPart[];
}

/**
 * Writes a template for OpenAPI, whose parameters are one segment each (section 4.8.8): literals inside a variable stand in
 * the path, and each of its wild cards is a parameter, so that `/v1/{name=shelves/*}` is `/v1/shelves/{name_1}`. Names
 * have letters, digits and underscores only: linters and generators know no others between braces.
 */
export function openApiPath({ segments, variables, verb }: Template): OpenApiPath {
  const parts: PathPart[] = [];
  let unnamed = 0;
  const taken = new Set<string>();
  const text = segments.map((segment, index) => {
    if (segment.kind === 'literal') return encode(segment.text);
    const variable = variables.findIndex(({ start, end }) => start <= index && index < end);
    const found = variables[variable];
    const rest = segment.kind === 'rest';
    const whole = found !== undefined && found.end - found.start === 1;
    const name = unlike(
      taken,
      found === undefined
        ? `wildcard_${++unnamed}`
        : found.fieldPath.join('_') + (whole ? '' : `_${wildCardsUpTo(segments, found.start, index)}`),
    );
    taken.add(name);
    parts.push({ name, variable: found === undefined ? undefined : variable, whole, rest });
    return `{${name}}`;
  });
  const path = `/${text.join('/')}${verb === undefined ? '' : `:${encode(verb)}`}`;
  return { path, shape: path.replaceAll(/\{[^}]*\}/g, '{}'), parts };
}

/** The name, or one made of it that is not taken: `{a.b}` and `{a_b}` may be in one path. */
function unlike(taken: ReadonlySet<string>, name: string): string {
  return taken.has(name) ? unlike(taken, `${name}_`) : name;
}

function wildCardsUpTo(segments: readonly Segment[], start: number, index: number): number {
  return segments.slice(start, index + 1).filter(({ kind }) => kind !== 'literal').length;
}

/** Literals are kept decoded; what a path has as it is stays readable. */
function encode(text: string): string {
  return encodeURI(text).replaceAll(/[?#{}]/g, encodeURIComponent);
}
