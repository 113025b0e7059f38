/** Most bytes of an expression that istiod takes. */
const longest = 1024;
/** Most repetitions, also of repetitions in one another. */
const most = 1000;

const lookaround = 'uses lookaround or a backreference, which RE2 does not have';
const tooOften = `repeats something more than ${most} times, which RE2 refuses`;

/** What a character of a class may be written as, and one outside: `\C` is refused by Go, through which istiod reads it. */
const escape = String.raw`\\(?:[^0-9A-Za-z\x80-\u{10ffff}]|[aftnrv]|0[0-7]{0,2}|[1-7][0-7]{1,2}|x[0-9A-Fa-f]{2}|x\{(?<code>[0-9A-Fa-f]+)\})`;
const set = String.raw`\\[dDsSwW]|\\[pP](?:\{\^?(?<property>\w+)\}|(?<letter>[A-Z]))`;
const posix = 'alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit';
const tokens = {
  quoted: String.raw`\\Q[^]*?(?:\\E|$)`,
  set,
  edge: String.raw`\\[bBAz]`,
  escape,
  flags: String.raw`\(\?[imsU]*(?:-[imsU]+)?\)`,
  group: String.raw`\((?:\?(?:P?<(?<name>\w+)>|[imsU]*(?:-[imsU]+)?:)|(?!\?))`,
  end: String.raw`\)`,
  or: String.raw`\|`,
  class: String.raw`\[\^?`,
  counted: String.raw`\{(?<least>0|[1-9][0-9]*)(?<range>,(?<up>0|[1-9][0-9]*)?)?\}\??`,
  repeated: String.raw`[*+?]\??`,
  other: String.raw`[^\\([]`,
} as const;
const patterns = Object.entries(tokens).map(([kind, source]) => [kind, new RegExp(source, 'uy')] as const);
const named = new RegExp(String.raw`\[:\^?(?<posix>(?:(?!:\])[^])*):\]|${set}`, 'uy');
const member = new RegExp(`(?:${escape}|[^\\\\])`, 'uy');

/**
 * Why istiod, and Go's RE2, which it asks, would refuse an expression; nothing for one that both take
 * (https://pkg.go.dev/regexp/syntax, istio.io/istio/pkg/config/validation, `validateStringRegexp`).
 */
export function re2Problem(text: string): string | undefined {
  if (Buffer.byteLength(text) > longest)
    return `is longer than ${longest} bytes, the most that Istio accepts`;
  const names = new Set<string>();
  // How often each open group, and what stands last in it, repeats something inside.
  const open = [{ inside: 1, last: 1, repeatable: false }];
  let repeated = false;
  let at = 0;
  while (at < text.length) {
    const [kind, found] = tokenAt(text, at);
    const group = open.at(-1);
    if (kind === undefined || group === undefined) return wrong(text.slice(at));
    const [token] = found;
    const groups = found.groups ?? {};
    at += token.length;
    const wasRepeated = repeated;
    repeated = kind === 'repeated' || kind === 'counted';
    if (kind === 'flags') continue;
    if (kind === 'group') {
      const { name } = groups;
      if (name !== undefined && names.has(name)) return refused(`it has two groups named ${name}`);
      if (name !== undefined) names.add(name);
      open.push({ inside: 1, last: 1, repeatable: false });
    } else if (kind === 'end') {
      const around = open.at(-2);
      if (around === undefined) return refused('it has a ) without a (');
      open.pop();
      around.last = group.inside;
      around.repeatable = true;
    } else if (kind === 'or') {
      group.repeatable = false;
    } else if (repeated) {
      if (!group.repeatable || wasRepeated) return refused(`it has nothing to repeat before ${token}`);
      const { least = '1', range, up = range === undefined ? least : undefined } = groups;
      if (kind === 'counted') {
        const times = [Number(least), Number(up ?? least)] as const;
        if (times[0] > times[1]) return refused(`${token} is not a valid repetition`);
        group.last *= times[1];
        if (times[1] > most || group.last > most) return tooOften;
      }
    } else {
      if (kind === 'set' && !isProperty(groups)) return refused(`${token} is not a character class`);
      if (kind === 'escape' && !isCode(groups)) return refused(`${token} is not a character`);
      const end = kind === 'class' ? classEnd(text, at) : at;
      if (typeof end === 'string') return end;
      at = end;
      group.last = 1;
      group.repeatable = true;
    }
    group.inside = Math.max(group.inside, group.last);
    const around = open.at(-1);
    if (around !== undefined) around.inside = Math.max(around.inside, around.last);
  }
  return open.length === 1 ? undefined : refused('it has a ( without a )');
}

type Token = keyof typeof tokens;

function tokenAt(
  text: string,
  at: number,
): readonly [Token, RegExpExecArray] | readonly [undefined, undefined] {
  for (const [kind, pattern] of patterns) {
    const found = matchAt(pattern, text, at);
    if (found !== null) return [kind as Token, found];
  }
  return [undefined, undefined];
}

/** Where a class ends whose members begin at an offset, the first of which may be `]`; or why it is none. */
function classEnd(text: string, from: number): number | string {
  let at = from;
  while (at === from || text[at] !== ']') {
    const whole = matchAt(named, text, at);
    if (whole !== null) {
      const name = whole.groups?.['posix'];
      const known = name === undefined ? isProperty(whole.groups) : posix.split('|').includes(name);
      if (!known) return refused(`${whole[0]} is not a character class`);
      at += whole[0].length;
      continue;
    }
    const low = matchAt(member, text, at);
    if (low === null) return at < text.length ? wrong(text.slice(at)) : refused('it has a [ without a ]');
    if (!isCode(low.groups)) return refused(`${low[0]} is not a character`);
    at += low[0].length;
    if (text[at] !== '-' || at + 1 >= text.length || text[at + 1] === ']') continue;
    const high = matchAt(member, text, at + 1);
    if (high === null || !isCode(high.groups)) return wrong(text.slice(at + 1));
    if (codeOf(low[0]) > codeOf(high[0])) return refused(`${low[0]}-${high[0]} is not a range`);
    at += 1 + high[0].length;
  }
  return at + 1;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

type Groups = Readonly<Record<string, string | undefined>> | undefined;

function isCode(groups: Groups): boolean {
  return Number.parseInt(groups?.['code'] ?? '0', 16) <= 0x10_ffff;
}

/** JavaScript knows the categories and scripts of Unicode, too; of those Go knows the short and the long names. */
function isProperty(groups: Groups): boolean {
  const name = groups?.['property'] ?? groups?.['letter'];
  if (name === undefined || name === 'Any') return true;
  try {
    new RegExp(`\\p{${name.length > 2 ? 'Script' : 'General_Category'}=${name}}`, 'u');
    return true;
  } catch {
    return false;
  }
}

function codeOf(written: string): number {
  const [, hex] = /^\\x\{?([0-9A-Fa-f]+)/.exec(written) ?? [];
  if (hex !== undefined) return Number.parseInt(hex, 16);
  const [, octal] = /^\\([0-7]+)$/.exec(written) ?? [];
  if (octal !== undefined) return Number.parseInt(octal, 8);
  const control = /^\\[aftnrv]$/.test(written) ? 'a  tnvfr'.indexOf(written.charAt(1)) : -1;
  if (control !== -1) return 7 + control;
  return written.codePointAt(written.length > 1 && written.startsWith('\\') ? 1 : 0) ?? 0;
}

/** Where nothing fits, what stands there says why. */
function wrong(rest: string): string {
  if (/^(?:\(\?<?[=!]|\\[1-9k])/.test(rest)) return lookaround;
  return refused(`RE2 does not know ${(/^(?:\\[^]?|\(\?[^:)]*[:)]?)/u.exec(rest) ?? [rest])[0]}`);
}

function refused(why: string): string {
  return `is not an RE2 expression: ${why}`;
}
