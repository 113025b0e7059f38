export type Named = readonly [name: string, value: string];

/** A name at the start of a line, and what it is separated by. */
const assigned = /^(\s*)(?:-\s+)?(?:export\s+)?["']?(\w[\w.-]*)["']?\s*([:=])/;
/** A directive and its only value. */
const directive = /^\s*(\w[\w.-]*)\s+(\S+)\s*$/;
/** Directives of nginx that name the server that is asked, whatever their last word. */
const upstream = /^(?:proxy|fastcgi|uwsgi|scgi|grpc|memcached)_pass$/;
/** A mapping or a list of YAML or JSON at the start of a value. */
const flow = /^\s*(?:-\s+)?[{[]/;
const pairs = /[{,]\s*["']?(\w[\w.-]*)["']?\s*:\s*("[^"]*"|'[^']*'|[^,{}[\]]*)/g;
/** `<name>value</name>`, and `name="value"` in a tag. */
const element = /<([\w.:-]+)(?:\s[^<>]*)?>([^<>]+)<\/\1>/g;
const attribute = /\s([\w.:-]+)="([^"]*)"/g;

/** What the lines of a file give names: of properties, YAML, TOML and shells, of servers' own formats, and of XML. */
export function namedIn(text: string): readonly Named[] {
  const lines = text.split(/\r?\n/);
  return lines.flatMap((line, index) => namedAt(line, () => textBelow(lines, index)));
}

function namedAt(line: string, below: () => string): readonly Named[] {
  if (/^\s*</.test(line)) return [...allIn(element, line), ...allIn(attribute, line)];
  if (flow.test(line)) return allIn(pairs, line);
  const [start = '', , name, separator] = assigned.exec(line) ?? [];
  if (name !== undefined) {
    const given = line.slice(start.length);
    if (flow.test(given)) return allIn(pairs, given);
    const value = separator === '=' ? bare(given) : bare(given.replace(/^\s+#.*$/, ''));
    const isBelow = separator === ':' && /^(?:[|>][-+\d]*)?$/.test(value);
    return [[name, isBelow ? below() : value]];
  }
  const [, word, value] = directive.exec(line) ?? [];
  return word === undefined || value === undefined || upstream.test(word) ? [] : [[word, bare(value)]];
}

function allIn(pattern: RegExp, line: string): readonly Named[] {
  return [...line.matchAll(pattern)].map(([, name = '', value = '']) => [name, bare(value)]);
}

/** The text of YAML that begins below a name: the first line that is further in and has no name itself. */
function textBelow(lines: readonly string[], index: number): string {
  const next = lines.slice(index + 1, index + 4).find((line) => line.trim() !== '') ?? '';
  const isInside = indentOf(next) > indentOf(lines[index] ?? '');
  return isInside && !assigned.test(next) && !/^\s*(?:[-#{[]|\/\/)/.test(next) ? bare(next) : '';
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

/** A value without what ends it, the quotes around it, a comment behind it, and the anchor before it. */
function bare(given: string): string {
  const value = given.trim();
  const [, quoted] = /^"([^"]*)"/.exec(value) ?? /^'([^']*)'/.exec(value) ?? [];
  if (quoted !== undefined) return quoted;
  return value
    .replace(/\s#.*$/s, '')
    .replace(/^&\w+(?:\s+|$)/, '')
    .trim()
    .replace(/[,;]$/, '');
}
