import { describe, expect, test } from '@jest/globals';
import { formatProblem, ProblemsError, throwIfAny } from './problem.ts';

describe('a problem', () => {
  test('is one line that says where, what, received, allowed and fix', () => {
    expect(
      formatProblem({
        where: 'apps/catalog/config.yml: ports.grpc',
        what: 'is no port',
        received: 70000,
        allowed: '1024 to 65535',
        fix: 'write 50051',
      }),
    ).toBe(
      'apps/catalog/config.yml: ports.grpc: is no port; received 70000; allowed 1024 to 65535; fix: write 50051',
    );
  });

  test('says "nothing" for a missing value and leaves out what is not known', () => {
    expect(formatProblem({ where: 'a', what: 'is missing', received: undefined })).toBe(
      'a: is missing; received nothing',
    );
    expect(formatProblem({ where: 'a', what: 'is wrong' })).toBe('a: is wrong');
  });

  test('shows what JSON cannot', () => {
    expect(formatProblem({ where: 'a', what: 'is wrong', received: { big: 1n } })).toBe(
      'a: is wrong; received {"big":"1n"}',
    );
  });

  test('shortens a long value', () => {
    const line = formatProblem({ where: 'a', what: 'is too long', received: 'x'.repeat(500) });
    expect(line).toBe(`a: is too long; received "${'x'.repeat(118)}…`);
  });

  test('comes with all the others', () => {
    expect(() => {
      throwIfAny([
        { where: 'a', what: 'is wrong' },
        { where: 'b', what: 'is wrong' },
      ]);
    }).toThrow(
      new ProblemsError([
        { where: 'a', what: 'is wrong' },
        { where: 'b', what: 'is wrong' },
      ]),
    );
    expect(() => {
      throwIfAny([]);
    }).not.toThrow();
  });
});
