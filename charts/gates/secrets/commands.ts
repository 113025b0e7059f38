import { isElsewhere } from './elsewhere.ts';
import { kindOf, reasonOf } from './looks.ts';

/** Something in a command that may be a secret. */
export interface Suspect {
  /** Of the option or the variable that gives it; undefined where none does. */
  readonly name?: string;
  /** Such as `holds what looks like a JWT`. */
  readonly reason: string;
}

interface Option {
  readonly name: string;
  readonly value: string;
}

/**
 * What may be a secret in the words of a command, or of a shell's script in it: by the name that an option, a variable or a header
 * gives it (`--token=x`, `--token x`, `TOKEN=x`, `-H "X-Token: x"`), or by what it looks like.
 * @param inShell - whether a shell reads them: {@link runsShell}
 */
export function suspectsIn(line: readonly string[], inShell: boolean): readonly Suspect[] {
  const words = line.flatMap((each) => (inShell ? literal(each) : each).split(/\s+/)).map(bare);
  const told: Suspect[] = [];
  const rest: string[] = [];
  words.forEach((word, index) => {
    const found = optionsAt(word, words[index + 1] ?? '').flatMap(({ name, value }): readonly Suspect[] => {
      const reason = reasonOf(name, value);
      return reason === undefined || (kindOf(value) === undefined && isElsewhere(name, value, inShell))
        ? []
        : [{ name, reason }];
    });
    const isNew = found.filter(({ name }) => !told.some((one) => one.name === name));
    told.push(...isNew);
    // What an option gives is told with it: `--url postgres://a:b@c` is one thing.
    const before = optionsAt(words[index - 1] ?? '', word).some(({ value }) => value === word);
    if (found.length === 0 && !(before && kindOf(word) !== undefined)) rest.push(word);
  });
  const kind = kindOf(rest.join(' '));
  return kind === undefined ? told : [...told, { reason: `holds what looks like ${kind}` }];
}

/** Whether what a container runs is a script for a shell, in one of its words. */
export function runsShell(line: readonly string[]): boolean {
  const shell = line.findIndex((word) => /(?:^|\/)(?:a|ba|da|k|z)?sh$/.test(word));
  return shell >= 0 && line.slice(shell + 1).some((word) => /^-[a-z]*c$/.test(word));
}

/** A script in which a shell puts nothing in the place of what stands between single quotes. */
function literal(script: string): string {
  return script.replaceAll(/'[^']*'/g, (quoted) => quoted.replaceAll('$', '\\$'));
}

/** A word without the quotes around it and what a shell ends a command with. */
function bare(word: string): string {
  return word.replaceAll(/^["'(]+|["');&|]+$/g, '');
}

/** What a word gives a name, where the next one belongs to it, too: of `--from-literal=password=x` both names. */
function optionsAt(word: string, next: string): readonly Option[] {
  const [, assigned = '', value] = /^-{0,2}(\w[\w.-]*)=(.*)$/s.exec(word) ?? [];
  if (value !== undefined) return [{ name: assigned, value: bare(value) }, ...optionsAt(bare(value), '')];
  // One letter says too little: it may be a switch.
  const [, name] = /^--?(\w[\w.-]+)$/.exec(word) ?? /^(\w[\w-]*):$/.exec(word) ?? [];
  return name === undefined || next === '' || next.startsWith('-') ? [] : [{ name, value: next }];
}
