import { isElsewhere } from './commands.ts';
import { reasonOf } from './looks.ts';

/** A text in a file that may be a secret. */
export interface Setting {
  /** Of JSON with the keys above it: `auth.password`. */
  readonly name: string;
  /** Such as `has the name of a secret`. */
  readonly reason: string;
}

/**
 * What may be a secret in the lines of a file, or in its JSON, by the name that the file gives it: `password=x` and `password: x` of properties, YAML,
 * TOML and shells, `requirepass x` of servers' own formats. What it looks like by itself is told of the whole text.
 */
export function settingsIn(text: string): readonly Setting[] {
  const found = (jsonOf(text) ?? text.split(/\r?\n/).flatMap(settingAt)).flatMap(([name, value]) => {
    const reason = reasonOf(name, value);
    return reason === undefined || isNone(value) ? [] : [{ name, reason }];
  });
  return [...new Map(found.map((one) => [one.name, one])).values()];
}

type Named = readonly [name: string, value: string];

function jsonOf(text: string): readonly Named[] | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return leavesOf(JSON.parse(text), []);
  } catch {
    return undefined;
  }
}

function leavesOf(value: unknown, path: readonly string[]): readonly Named[] {
  if (typeof value === 'string') return path.length === 0 ? [] : [[path.join('.'), value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, key]));
}

/** A name at the start of a line, and what it is separated by. */
const assigned = /^\s*(?:-\s+)?(?:export\s+)?["']?(\w[\w.-]*)["']?\s*[:=]\s*/;
/** A directive and its only value. */
const directive = /^\s*(\w[\w.-]*)\s+(\S+)\s*$/;

function settingAt(line: string): readonly Named[] {
  const [start = '', name] = assigned.exec(line) ?? [];
  if (name !== undefined) return [[name, bare(line.slice(start.length))]];
  const [, word, value] = directive.exec(line) ?? [];
  return word === undefined || value === undefined ? [] : [[word, bare(value)]];
}

/** A value without what ends it and the quotes around it. */
function bare(value: string): string {
  return value
    .trim()
    .replace(/[,;]$/, '')
    .replace(/^"(.*)"$/s, '$1')
    .replace(/^'(.*)'$/s, '$1');
}

/** Whether a value holds nothing: what follows it does, or it is a comment, a number, or the place of a secret. */
function isNone(value: string): boolean {
  return value === '' || /^(?:[#|>[{*&]|\d+$|true$|false$)/.test(value) || isElsewhere(value);
}
