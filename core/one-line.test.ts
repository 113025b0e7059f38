import { describe, expect, test } from '@jest/globals';
import { oneLine } from './one-line.ts';

describe('oneLine', () => {
  test.each([
    ['plain text', 'failed: not found', 'failed: not found'],
    ['line breaks and tabs', ' a\r\n\tb\u2028c ', 'a b c'],
    ['colours and cursor moves', '\u001b[31mred\u001b[0m\u001b[2K!', 'red!'],
    ['a title for the terminal', '\u001b]0;owned\u0007text', 'text'],
    ['letters that turn the direction of writing', 'a\u202eb', 'a b'],
    ['bells and bytes', 'a\u0007\u0000b\u009bc', 'a b'],
    ['half a letter', 'a\ud83d', 'a\ufffd'],
  ])('%s', (_, text, shown) => {
    expect(oneLine(text, 100)).toBe(shown);
  });

  test('cuts between letters, and says so', () => {
    expect(oneLine('😀😀😀😀', 4)).toBe('😀😀😀😀');
    expect(oneLine('😀😀😀😀', 3)).toBe('😀😀…');
  });
});
