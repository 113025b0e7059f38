import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { toYaml } from './yaml.ts';

describe('D5: YAML that every reader reads alike', () => {
  test.each([
    '0o027',
    '0O17',
    '-0b101',
    '0x1F',
    '1_000',
    '1e3',
    '.5',
    '+1',
    '12:30:45',
    'no',
    'y',
    '~',
    '2026-01-01',
  ])('%s is a text', (text) => {
    expect(toYaml({ text })).toBe(`text: "${text}"\n`);
  });

  test.each(['1.29.2', 'v1', '1.31-dev.eed52ebb66ad', '0a', 'one 1', '1Gi', '-', '.'])(
    '%s needs no quotes',
    (text) => {
      expect(parse(toYaml({ text }))).toEqual({ text });
      expect(toYaml({ text })).not.toContain('"1');
    },
  );

  test.each([' \n', '\n \n', 'a\n  \nb', '\t\n', ' \n\n#'])(
    'the lines of %j, of which one has white space alone',
    (value) => {
      for (const version of ['1.1', '1.2'] as const) {
        expect(parse(toYaml({ list: [value], map: { [value]: value } }), { version })).toEqual({
          list: [value],
          map: { [value]: value },
        });
      }
    },
  );

  test('whatever the text, as a key and as a value', () => {
    const letters = [
      '0',
      '1',
      '7',
      '9',
      'o',
      'x',
      'b',
      'e',
      'E',
      '.',
      '-',
      '+',
      '_',
      ':',
      'y',
      'n',
      '~',
      ' ',
      '#',
      '"',
      "'",
      '\n',
    ];
    const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...letters), maxLength: 8 }));
    fc.assert(
      fc.property(text, (value) => {
        fc.pre(value !== '__proto__');
        const written = toYaml({ list: [value], map: { [value]: value } });
        for (const version of ['1.1', '1.2'] as const) {
          expect(parse(written, { version, merge: false })).toEqual({
            list: [value],
            map: { [value]: value },
          });
        }
      }),
    );
  });
});
