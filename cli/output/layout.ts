/** Columns that a line of output has at most; a URL or a path that is longer by itself stays whole. */
const columns = 80;

/**
 * Breaks a text at its spaces into lines of at most 80 columns. A URL or a path stays whole; any other word that is longer
 * than a line is cut.
 * @param first - what the first line begins with
 * @param further - what each further line begins with
 */
export function wrap(text: string, first = '', further = first): readonly string[] {
  const room = columns - Math.max(first.length, further.length);
  const lines: string[] = [];
  for (const word of text
    .split(/\s+/)
    .filter(Boolean)
    .flatMap((each) => cut(each, room))) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= room)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line, index) => `${index === 0 ? first : further}${line}`);
}

/** Pieces of a word that fit the room. */
function cut(word: string, room: number): readonly string[] {
  if (word.includes('/')) return [word];
  const pieces = Array.from({ length: Math.ceil(word.length / room) });
  return pieces.map((_, index) => word.slice(index * room, (index + 1) * room));
}

/** A shell command of these words, each quoted already: continued by backslashes where a line would be too long. */
export function command(words: readonly string[], indent: string): readonly string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    // Two columns for ` \`.
    if (last !== undefined && last.length + 1 + word.length <= columns - 2) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(`${lines.length === 0 ? indent : `${indent}  `}${word}`);
  }
  return lines.map((line, index) => (index < lines.length - 1 ? `${line} \\` : line));
}

/**
 * A table with a head; where it would be wider than a line, a list with a line for each cell.
 * @param head - in lower case, such as `CA until`
 */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const all = [head.map((cell) => cell.toUpperCase()), ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const lines = all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  if (lines.every((line) => line.length <= columns)) return lines;
  const [first = '', ...others] = head;
  return rows.flatMap(([name = '', ...cells]) => [
    ...wrap(`${first} ${name}`, '', '  '),
    ...cells.flatMap((cell, index) => wrap(`${others[index] ?? ''}: ${cell}`, '  ', '    ')),
  ]);
}
