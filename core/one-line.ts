import { stripVTControlCharacters } from 'node:util';

/**
 * Text that somebody else wrote, such as a log line or an API server's message, made fit for a line of our output:
 * without control characters, every run of white space one space, cut to `longest` characters.
 */
export function oneLine(text: string, longest: number): string {
  const plain = stripVTControlCharacters(text.toWellFormed())
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim();
  const characters = Array.from(plain);
  return characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : plain;
}
