import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { shellWord } from '../../core/shell.ts';
import { command, table, wrap } from './layout.ts';

test('a text is broken at its spaces, a URL stays whole, another long word is cut', () => {
  const url = `http://example.com/${'a'.repeat(80)}`;
  expect(wrap(`${'word '.repeat(20)}${url} ${'x'.repeat(100)}`, '- ', '  ')).toEqual([
    `- ${'word '.repeat(15).trim()}`,
    `  ${'word '.repeat(5).trim()}`,
    `  ${url}`,
    `  ${'x'.repeat(78)}`,
    `  ${'x'.repeat(22)}`,
  ]);
  expect(wrap('')).toEqual([]);
});

describe('a table', () => {
  test('that fits has a line for each row', () => {
    expect(
      table(
        ['cluster', 'ready'],
        [
          ['east', 'yes'],
          ['northwest', 'no'],
        ],
      ),
    ).toEqual(['CLUSTER    READY', 'east       yes', 'northwest  no']);
  });

  test('that does not fit is a list', () => {
    const context = 'gke_project_us-east1-b_production-cluster-of-the-whole-company-and-some-more';
    expect(table(['cluster', 'CA until', 'context'], [['east', '2031-01-01', context]])).toEqual([
      'cluster east',
      '  CA until: 2031-01-01',
      '  context:',
      `    ${context}`,
    ]);
  });
});

describe('a command', () => {
  test('goes on in the next line where it would be too long', () => {
    const url = `http://example.com/${'a'.repeat(80)}`;
    expect(command(['curl', '--header x', url], '    ')).toEqual(['    curl --header x \\', `      ${url}`]);
  });

  test('gives a shell the words that were meant, in lines of at most 80 columns', () => {
    // No line breaks, no NUL: arguments of one line each.
    const words = fc.array(fc.stringMatching(/^[ -~]{1,30}$/), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(words, (asked) => {
        const lines = command(["printf '%s\\n'", ...asked.map(shellWord)], '    ');
        expect(execFileSync('sh', ['-c', lines.join('\n')], { encoding: 'utf8' })).toBe(
          asked.map((word) => `${word}\n`).join(''),
        );
      }),
      { numRuns: 30 },
    );
    fc.assert(
      fc.property(words, (asked) => {
        for (const line of command(asked.map(shellWord), '    ')) {
          expect(line.length <= 80 || asked.map(shellWord).some((word) => line.trim().startsWith(word))).toBe(
            true,
          );
        }
      }),
    );
  });
});
