/** One segment of a path template. */
export type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  /** `*`: exactly one segment, not empty. */
  | { readonly kind: 'one' }
  /** `**`: any number of segments, only at the end. */
  | { readonly kind: 'rest' };

/** A field and the segments its value is taken from. */
export interface Variable {
  /** Proto field names, outermost first. */
  readonly fieldPath: readonly string[];
  /** Index of its first segment. */
  readonly start: number;
  /** Index after its last segment; a `**` may stand for more of the path than its one segment. */
  readonly end: number;
}

/** A parsed path template. */
export interface Template {
  readonly segments: readonly Segment[];
  readonly variables: readonly Variable[];
  /** What follows the last colon, if there is one. */
  readonly verb: string | undefined;
}

/** A path template that breaks the grammar. */
export class TemplateError extends Error {
  /** What is wrong at the offset. */
  readonly what: string;
  /** Where in the template, in characters from its beginning. */
  readonly offset: number;

  constructor(template: string, offset: number, what: string) {
    super(`path template ${JSON.stringify(template)}: ${what} at offset ${offset}`);
    this.name = 'TemplateError';
    this.what = what;
    this.offset = offset;
  }
}

const literal = /[A-Za-z0-9\-._~!$&'()+,;@%]+/y;
const identifier = /[A-Za-z_][A-Za-z0-9_]*/y;

/**
 * Parses a path template:
 *
 *     Template = "/" Segments [ Verb ] ;
 *     Segments = Segment { "/" Segment } ;
 *     Segment  = "*" | "**" | LITERAL | Variable ;
 *     Variable = "{" FieldPath [ "=" Segments ] "}" ;
 *     FieldPath = IDENT { "." IDENT } ;
 *     Verb     = ":" LITERAL ;
 *
 * Source: google/api/http.proto, "Path template syntax".
 * @throws TemplateError
 */
export function parseTemplate(source: string): Template {
  const segments: Segment[] = [];
  const variables: Variable[] = [];
  let offset = 0;

  const fail = (what: string): never => {
    throw new TemplateError(source, offset, what);
  };
  const skip = (text: string): boolean => {
    if (!source.startsWith(text, offset)) return false;
    offset += text.length;
    return true;
  };
  const take = (pattern: RegExp, what: string): string => {
    pattern.lastIndex = offset;
    const match = pattern.exec(source)?.[0] ?? fail(`${what} expected`);
    offset += match.length;
    return match;
  };
  const parseSegment = (inVariable: boolean): void => {
    if (segments.at(-1)?.kind === 'rest') fail('nothing may follow "**"');
    if (source[offset] === '{') {
      if (inVariable) fail('a variable may not be inside another');
      parseVariable();
    } else if (skip('**')) segments.push({ kind: 'rest' });
    else if (skip('*')) segments.push({ kind: 'one' });
    else segments.push({ kind: 'literal', text: decode(take(literal, 'a segment')) });
  };
  const parseSegments = (inVariable: boolean): void => {
    do parseSegment(inVariable);
    while (skip('/'));
  };
  const parseVariable = (): void => {
    offset += 1;
    const start = segments.length;
    const fieldPath = [take(identifier, 'a field name')];
    while (skip('.')) fieldPath.push(take(identifier, 'a field name'));
    if (skip('=')) parseSegments(true);
    else segments.push({ kind: 'one' });
    if (!skip('}')) fail('"}" expected');
    if (variables.some((other) => other.fieldPath.join('.') === fieldPath.join('.'))) {
      fail(`the variable ${fieldPath.join('.')} appears twice`);
    }
    variables.push({ fieldPath, start, end: segments.length });
  };
  const decode = (text: string): string => {
    try {
      return decodeURIComponent(text);
    } catch {
      return fail('percent-encoding is malformed');
    }
  };

  if (!skip('/')) fail('"/" expected');
  parseSegments(false);
  const verb = skip(':') ? decode(take(literal, 'a verb')) : undefined;
  if (offset < source.length) fail('the end of the template expected');
  return { segments, variables, verb };
}
