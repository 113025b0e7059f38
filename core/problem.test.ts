import { describe, expect, test } from '@jest/globals';
import { formatProblem, ProblemsError, throwIfAny } from './problem.ts';

describe('a problem', () => {
  test('is one line that says where, what, received, allowed and fix', () => {
    expect(
      formatProblem({
        where: 'apps/catalog/config.yml: ports.grpc',
        what: 'is not a port',
        received: 70000,
        allowed: '1024 to 65535',
        fix: 'write 50051',
      }),
    ).toBe(
      'apps/catalog/config.yml: ports.grpc: is not a port; received 70000; allowed 1024 to 65535; fix: write 50051',
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

  test('shows a construct by its path, also within other values', () => {
    const mesh: Record<string, unknown> = { node: { path: 'demo' } };
    const catalog = { where: 'demo/shop/catalog', mesh };
    mesh['parts'] = [catalog, mesh];
    const line = (received: unknown) => formatProblem({ where: 'a', what: 'is wrong', received });
    expect(line(catalog)).toBe('a: is wrong; received "demo/shop/catalog"');
    expect(line(mesh)).toBe('a: is wrong; received "demo"');
    expect(line([{ service: catalog, of: mesh }])).toBe(
      'a: is wrong; received [{"service":"demo/shop/catalog","of":"demo"}]',
    );
  });

  test('shows what no notation has, whatever it does when it is looked at', () => {
    const line = (received: unknown) => formatProblem({ where: 'a', what: 'is wrong', received });
    const circular: Record<string, unknown> = { name: 'x', deep: { deeper: { deepest: 1 } } };
    circular['self'] = circular;
    expect(line(circular)).toBe(
      "a: is wrong; received <ref *1> { name: 'x', deep: { deeper: [Object] }, self: [Circular *1] }",
    );
    const throwing = {
      get key(): string {
        throw new Error('no');
      },
    };
    expect(line(throwing)).toBe('a: is wrong; received { key: [Getter] }');
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(line(proxy)).toBe('a: is wrong; received <Revoked Proxy>');
    expect(line([1n, Symbol('s'), () => 1, undefined])).toBe(
      'a: is wrong; received ["1n","Symbol(s)","[Function (anonymous)]","undefined"]',
    );
    expect(line(1n)).toBe('a: is wrong; received "1n"');
    const huge = Array.from({ length: 1000 }, () => circular);
    expect(line(huge)).toMatch(/^a: is wrong; received .{119}…$/);
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
