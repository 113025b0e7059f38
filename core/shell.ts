/** A word as a POSIX shell reads it literally ("Quoting" in POSIX.1, Shell Command Language). */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
