import { isDnsLabel, dnsLabelRule, nearest } from '../core/names.ts';
import { own } from '../core/own.ts';
import { ProblemsError, type Problem } from '../core/problem.ts';

/** What a hole takes: a host with or without a port, `registry.example:5000`; or a whole URL, `https://issuer.example/realm`. */
export type HoleKind = 'host' | 'url';

/** A value of an environment that is not known when dist/ is rendered. */
export interface Hole {
  readonly name: string;
  readonly kind: HoleKind;
}

/** What the holes of an environment are filled with. */
export interface HoleValues {
  /** Where the values stand, for messages: `Pulumi.prod.yaml`. */
  readonly where: string;
  readonly values: Readonly<Record<string, string>>;
  /** Names of holes that stay open, because nobody knows their values yet. @default - none */
  readonly open?: readonly string[];
}

/** The holes of a mesh that are open: their markers stand in what it renders. */
export interface OpenHoles {
  readonly environment: string;
  readonly names: readonly string[];
}

/** Key of the stack's file under which the values stand, by the names of their holes. */
export const valuesKey = 'values';

// `.invalid` is reserved for names that never exist (RFC 2606, section 2): nobody is ever called by a marker.
const suffixes: Readonly<Record<HoleKind, string>> = { host: 'hole.invalid', url: 'url-hole.invalid' };
const inValues = /https:\/\/([a-z0-9-]+)\.url-hole\.invalid|([a-z0-9-]+)\.hole\.invalid/g;
/** Also where a declaration has taken a URL apart, in upper case, or escaped for a regular expression. */
const inText = /([a-z0-9-]+)\\*\.(?:url-)?hole\\*\.invalid/gi;
/** What every marker has, in Base64 as well: by where among three bytes it begins, without what its neighbours decide. */
const anywhere = new RegExp(
  [
    'hole\\\\*\\.invalid',
    ...[0, 1, 2].map((offset) => {
      const encoded = Buffer.from(`${'-'.repeat(offset)}hole.invalid`).toString('base64');
      return encoded.slice(
        Math.ceil((offset * 8) / 6),
        Math.floor(((offset + 'hole.invalid'.length) * 8) / 6),
      );
    }),
  ].join('|'),
  'i',
);
const inBase64 = /[A-Za-z0-9+/]{16,}={0,2}/g;

/**
 * A value of an environment that another program knows, such as the host of a registry that a Pulumi program makes. It is a
 * string that stands for the value in dist/; the value itself is `meshwright:values.NAME` of the stack's file, in plaintext, and
 * takes its place before anything is applied. Use it in the values that `declare` is given, and nowhere else.
 * @param name - a DNS label
 * @param kind - `host` for a host with or without a port; `url` for a whole https URL. The default is `host`. More may be added
 * after a host, `${hole('registry')}/shop`; before it only what does not end in a letter, a digit or a hyphen: `eu.${hole('zone')}`.
 * `eu-${hole('zone')}` is read as a hole `eu-zone`: there `eu-` is a part of the value.
 * @throws ProblemsError for a name that is not a DNS label, and for another kind
 */
export function hole(name: string, kind: HoleKind = 'host'): string {
  const problems: Problem[] = [];
  if (!isDnsLabel(name))
    problems.push({
      where: 'hole',
      what: 'has a name that is not a DNS label',
      received: name,
      allowed: dnsLabelRule,
    });
  if (!Object.hasOwn(suffixes, kind))
    problems.push({ where: 'hole', what: 'is not a kind of hole', received: kind, allowed: 'host, url' });
  if (problems.length > 0) throw new ProblemsError(problems);
  return kind === 'url' ? `https://${name}.${suffixes.url}` : `${name}.${suffixes.host}`;
}

/** The holes in values, by name, each once of a kind. */
export function holesIn(values: unknown): readonly Hole[] {
  const found = new Map<string, Hole>();
  walk(values, (text) => {
    for (const [, url, host = ''] of text.matchAll(inValues)) {
      const one: Hole = url === undefined ? { name: host, kind: 'host' } : { name: url, kind: 'url' };
      found.set(`${one.name} ${one.kind}`, one);
    }
    return text;
  });
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Values with their holes filled, but for those that stay open. What has no hole in it is the same object as before. */
export function fillHoles<T>(values: T, { values: given }: Pick<HoleValues, 'values'>): T {
  return walk(values, (text) =>
    text.replaceAll(
      inValues,
      (marker, url?: string, host?: string) => own(given, url ?? host ?? '') ?? marker,
    ),
  ) as T;
}

/** What is wrong with the values that the holes of an environment are to be filled with. */
export function holeProblems(
  environment: string,
  holes: readonly Hole[],
  { where, values, open = [] }: HoleValues,
): readonly Problem[] {
  const names = holes.map(({ name }) => name);
  const at = (name: string) => `${where}: ${valuesKey}.${name}`;
  const missing = holes.flatMap(({ name, kind }): readonly Problem[] => {
    const value = own(values, name);
    if (open.includes(name) || (value !== undefined && isValue[kind](value))) return [];
    const what =
      value === undefined
        ? `is missing: environment ${environment} of mesh.ts has a hole of this name`
        : `is not ${kind === 'url' ? 'an https URL' : 'a host'}`;
    return [
      {
        where: at(name),
        what,
        ...(value !== undefined && mayBeShown(value) && { received: value }),
        allowed: rules[kind],
        ...(value === undefined && { fix: `give it as meshwright:${valuesKey}.${name}` }),
      },
    ];
  });
  const unknown = [...Object.keys(values), ...open]
    .filter((name) => !names.includes(name))
    .map((name) => {
      const near = nearest(name, names);
      return {
        where: at(name),
        what: `fills no hole: environment ${environment} of mesh.ts has none of this name`,
        allowed: names.length === 0 ? 'none' : [...new Set(names)].join(', '),
        fix: near === undefined ? 'remove it' : `did you mean ${near}?`,
      };
    });
  return [...missing, ...unknown];
}

const rules: Readonly<Record<HoleKind, string>> = {
  host: 'HOST or HOST:PORT, in lower case, such as registry.example:5000',
  url: 'https://HOST, with a port and a path where it has them, and without user, query and fragment',
};
const hostRule =
  /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*(:[1-9][0-9]{0,4})?$/;
const isValue: Readonly<Record<HoleKind, (value: string) => boolean>> = {
  host: isHost,
  url: (value) => {
    const [, host] = /^https:\/\/([^/\s@?#\\]+)(?:\/[^\s@?#\\]*)?$/.exec(value) ?? [];
    return host !== undefined && isHost(host) && URL.canParse(value) && !hasMarker(value);
  },
};

function isHost(value: string): boolean {
  const [name = '', port = '1'] = value.split(':');
  if (name.length > 253 || !hostRule.test(value) || Number(port) > 65_535 || hasMarker(value)) return false;
  // What readers of URLs take for another host is none: `1` is 0.0.0.1 (WHATWG URL Standard, section 3.5).
  const url = `https://${value}`;
  return URL.canParse(url) && new URL(url).hostname === name;
}

/** Whether an error may repeat a value that is no host and no https URL: not where a password or a token may stand. */
export function mayBeShown(value: string): boolean {
  return !/[@?#]/.test(value);
}

function hasMarker(text: string): boolean {
  return markedNames(text).length > 0;
}

/** The names of the holes whose markers are in a text, in order. */
export function markedNames(text: string): readonly string[] {
  // Most texts have none, and a mesh of a thousand services renders megabytes.
  if (!anywhere.test(text)) return [];
  const decoded = [...text.matchAll(inBase64)].map(([run]) => Buffer.from(run, 'base64').toString('latin1'));
  const names = [text, ...decoded]
    .flatMap((one) => [...one.matchAll(inText)])
    .map(([, name = '']) => name.toLowerCase());
  return [...new Set(names)].sort();
}

/** Comment lines for the head of a file of dist/ that has markers. */
export function holesHead(environment: string, names: readonly string[]): string {
  const lines = [
    `Holes: Pulumi.${environment}.yaml has a value for each, which stands in its place when this is applied.`,
    ...names.map((name) => `  ${name}: meshwright:${valuesKey}.${name}`),
  ];
  return lines.map((line) => `# ${line}\n`).join('');
}

/** A marker in a rendered file that no open hole of the environment's values has. */
export function strayProblems(path: string, names: readonly string[]): readonly Problem[] {
  return names.map((name) => ({
    where: path,
    what: `has the marker of the hole ${name}, which nothing would fill`,
    allowed: 'holes in the strings of the values of an environment, and of plain objects and arrays in them',
    fix: `write hole('${name}') there, and use the value that \`mesh\` is given`,
  }));
}

const opened = new WeakMap<object, OpenHoles>();

/** Remembers the open holes of a mesh that a declaration made. */
export function rememberHoles(mesh: object, holes: OpenHoles): void {
  opened.set(mesh, holes);
}

/** The open holes of a mesh; a mesh that no declaration made has none. */
export function openHoles(mesh: object): OpenHoles {
  return opened.get(mesh) ?? { environment: '', names: [] };
}

/** Replaces the strings in plain objects and arrays. Where none changes, the object stays: generated code is known by its identity. */
function walk(value: unknown, replace: (text: string) => string, seen = new Map<object, unknown>()): unknown {
  if (typeof value === 'string') return replace(value);
  if (!isPlain(value)) return value;
  if (seen.has(value)) return seen.get(value);
  seen.set(value, value);
  const entries = Object.entries(value);
  const walked = entries.map(([key, inner]) => [key, walk(inner, replace, seen)] as const);
  if (walked.every(([, inner], index) => Object.is(inner, entries[index]?.[1]))) return value;
  const made: unknown = Array.isArray(value) ? walked.map(([, inner]) => inner) : Object.fromEntries(walked);
  seen.set(value, made);
  return made;
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
