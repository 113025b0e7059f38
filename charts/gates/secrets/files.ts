import { isElsewhere } from './elsewhere.ts';
import { namedIn, type Named } from './lines.ts';
import { kindOf, reasonOf, wordsOf } from './looks.ts';

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
 */
export function settingsIn(text: string): readonly Setting[] {
  const found = (jsonOf(text) ?? namedIn(text)).flatMap(([name, value]) => {
    const reason = reasonOf(name, value);
    const isNone = kindOf(value) === undefined && (holdsNone(name, value) || isElsewhere(name, value));
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

/** Where a list of pages or changes goes on. */
const place = /(?:^|[_.-])(?:PAGE|SYNC|CONTINUATION)[_.-]?TOKEN$/i;
/** What nsswitch.conf says of the users' database. */
const database =
  /^(?:(?:files|compat|systemd|db|sss|ldap|nis|winbind|altfiles|extrausers|\[[!\w=]+\])(?:\s+|$))+$/;

/** Whether a value is empty, an alias of YAML, the name of a header, or of a name that only ends as those of secrets. */
function holdsNone(name: string, value: string): boolean {
  return (
    /^(?:|\*\w[\w-]*|X(?:-[A-Z][A-Za-z]*)+)$/.test(value) ||
    place.test(wordsOf(name)) ||
    (name === 'passwd' && database.test(value))
  );
}
