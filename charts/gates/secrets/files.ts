import { isElsewhere } from './elsewhere.ts';
import { namedIn, type Named } from './lines.ts';
import { kindOf, reasonOf } from './looks.ts';
import { isForPeople, isLabel } from './words.ts';

/** A text in a file that may be a secret. */
export interface Setting {
  /** Of JSON with the keys above it: `auth.password`. */
  readonly name: string;
  /** Such as `has the name of a secret`. */
  readonly reason: string;
}

/**
 * What may be a secret in the lines of a file, or in its JSON, by the name that the file gives it: `password=x` and `password: x` of properties, YAML,
 * TOML and shells, `requirepass x` of servers' own formats, `<password>x</password>`. What it looks like by itself is told of the whole text.
 * @param file - its name, which may say that people read it; empty where it has none
 */
export function settingsIn(text: string, file: string): readonly Setting[] {
  const inText = isForPeople(file);
  const found = (jsonOf(text) ?? namedIn(text)).flatMap(([name, value]) => {
    const reason = reasonOf(name, value);
    const isNone =
      kindOf(value) === undefined &&
      (holdsNone(name, value) || isElsewhere(name, value, false) || isLabel(name, value, inText));
    return reason === undefined || isNone ? [] : [{ name, reason }];
  });
  return [...new Map(found.map((one) => [one.name, one])).values()];
}

function jsonOf(text: string): readonly Named[] | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return leavesOf(JSON.parse(text), []);
  } catch {
    return undefined;
  }
}

function leavesOf(value: unknown, path: readonly string[]): readonly Named[] {
  if (typeof value === 'string' || typeof value === 'number')
    return path.length === 0 ? [] : [[path.join('.'), String(value)]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, key]));
}

/** What nsswitch.conf says of the users' database. */
const database =
  /^(?:(?:files|compat|systemd|db|sss|ldap|nis|winbind|altfiles|extrausers|\[[!\w=]+\])(?:\s+|$))+$/;

/** Whether a value is empty, an alias of YAML, the name of a header, or of a name that says something else in its file. */
function holdsNone(name: string, value: string): boolean {
  return /^(?:|\*\w[\w-]*|X(?:-[A-Z][A-Za-z]*)+)$/.test(value) || (name === 'passwd' && database.test(value));
}
