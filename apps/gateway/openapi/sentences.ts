/** Words before a full stop that ends none, whatever follows. */
const abbreviation =
  /(?:^|[\s(])(?:[A-Za-z]|(?:[A-Za-z]\.)+[A-Za-z]|cf|vs|viz|approx|incl|resp|mrs?|ms|drs?|prof|st)$/i;
/** The same where a number follows. */
const counted = /(?:^|[\s(])(?:no|nos|nr|fig|figs|sec|ch|vol|pp?|art)$/i;

/**
 * Where the first sentence of a text ends, behind its full stop, question or exclamation mark: not at `e.g.`, nor where a
 * lower-case word follows.
 */
export function endOfSentence(text: string): number {
  const paragraph = /\n[ \t]*\n/.exec(text)?.index ?? text.length;
  for (const { index, 0: mark } of text.slice(0, paragraph).matchAll(/[.!?][)"'`\]]*(?=\s|$)/g)) {
    const end = index + mark.length;
    const before = text.slice(0, index);
    const after = text.slice(end, paragraph).trimStart();
    if (/^[a-z]/.test(after)) continue;
    if (mark.startsWith('.') && after !== '') {
      if (abbreviation.test(before) || (/^[0-9]/.test(after) && counted.test(before))) continue;
    }
    return end;
  }
  return paragraph;
}

/** Comments between these are of the authors for themselves. Source: https://google.aip.dev/192 */
const internal = /\(--[^]*?(?:--\)|$)/g;

/** What tools read in comments: linters, formatters and checks of changes. */
const directives = [
  /\bbuf:(?:lint|breaking):ignore(?:[ \t]+[A-Z][A-Z0-9_]*)?/g,
  /\bprotolint:(?:disable|enable)(?::[a-z]+)?(?:[ \t]+[A-Z][A-Z0-9_]*)*/g,
  /\bapi-linter:\s*[\w:-]+=disabled\b/g,
  /\baip\.dev\/not-precedent:[^\n]*/g,
  /\bclang-format (?:off|on)\b/g,
  /\bLINT\.(?:IfChange|ThenChange)(?:\([^)]*\))?/g,
  /\bNOLINT(?:NEXTLINE|BEGIN|END)?\b(?:\([^)]*\))?/g,
];

/** A comment without what is not for those who call the API; empty when that is all of it. */
export function published(comment: string): string {
  const text = directives.reduce(
    (left, directive) => left.replaceAll(directive, ''),
    comment.replaceAll(internal, ''),
  );
  if (text === comment) return comment;
  return text
    .split(/\n[ \t]*\n/)
    .map((paragraph) =>
      paragraph
        .split('\n')
        .map((line) => line.replaceAll(/[ \t]{2,}/g, ' ').trim())
        .filter((line) => line !== '')
        .join('\n'),
    )
    .filter((paragraph) => paragraph !== '')
    .join('\n\n');
}
