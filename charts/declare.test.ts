import { describe, expect, test } from '@jest/globals';
import { declare, parseDeclaration } from './declare.ts';
import { Mesh } from './constructs/mesh.ts';
import { lab } from './platforms.ts';

const clusters = { east: { network: 'n', region: 'r', zone: 'z' } };
const meshOf = (trustDomain: string) => new Mesh('demo', { root: '.', trustDomain, platform: lab, clusters });
const declaration = declare({
  environments: { lab: { trustDomain: 'lab.example' }, prod: { trustDomain: 'prod.example' } },
  mesh: ({ values: { trustDomain } }) => meshOf(trustDomain),
});
/** As plain JavaScript may call it. */
const loosely = declare as (props: unknown) => { mesh(of: unknown): unknown };

describe('a declaration', () => {
  test('makes the mesh of each environment by its values', () => {
    expect(declaration.environments).toEqual(['lab', 'prod']);
    const domains = declaration.environments.map(
      (environment) => declaration.mesh({ root: '.', environment }).trustDomain,
    );
    expect(domains).toEqual(['lab.example', 'prod.example']);
  });

  test('is told from what is none, and from one of another copy of the library', () => {
    expect(parseDeclaration(declaration)).toBe(declaration);
    const copied = { ...declaration, mesh: 1 };
    expect(parseDeclaration(copied)).toBe(copied);
    const fix = 'fix: write `export default declare({ environments, mesh })`';
    expect(() => parseDeclaration(undefined)).toThrow(new Error(`mesh.ts: has no default export; ${fix}`));
    for (const none of [{}, 1, null])
      expect(() => parseDeclaration(none)).toThrow(
        new Error(
          `mesh.ts: its default export is not made by declare; received ${JSON.stringify(none)}; ${fix}`,
        ),
      );
    expect(() => parseDeclaration(meshOf('a.example'))).toThrow('its default export is not made by declare');
    const other = { ...declaration, [Symbol.for('meshwright.declaration')]: class OtherMesh extends Map {} };
    expect(() => parseDeclaration(other)).toThrow(
      new Error(
        'mesh.ts: is declared with another copy of the library than the one that runs it; ' +
          'fix: import declare from the package whose command or program this is, and install that package once',
      ),
    );
  });

  test.each<[string, () => unknown, string]>([
    [
      'an environment that is misspelt',
      () => declaration.mesh({ root: '.', environment: 'prd' as 'prod' }),
      'environment: mesh.ts declares no environment of this name; received "prd"; allowed lab, prod; fix: did you mean prod?',
    ],
    [
      'one that every object inherits',
      () => declaration.mesh({ root: '.', environment: 'constructor' as 'prod' }),
      'environment: mesh.ts declares no environment of this name; received "constructor"; allowed lab, prod; fix: declare it among the environments of mesh.ts',
    ],
    [
      'a function that gives nothing back',
      () => loosely({ environments: { lab: {} }, mesh: () => undefined }).mesh({ environment: 'lab' }),
      'mesh.ts: mesh: does not return a mesh; received nothing; allowed the `new Mesh(...)` that it makes; fix: end it with `return mesh`',
    ],
    [
      'no properties',
      () => loosely(undefined),
      'mesh.ts: declare: is given no properties; received nothing; allowed declare({ environments: { lab: {...} }, mesh: ({ root, values }) => ... })',
    ],
    [
      'properties that are wrong, all at once',
      () => loosely({ environmnts: 1, environments: {}, mesh: meshOf('a.example') }),
      'mesh.ts: declare.environmnts: unknown key; received "environmnts"; allowed environments, mesh; fix: did you mean environments?\n' +
        'mesh.ts: environments: does not name an environment; received {}; allowed the values of each environment by its name: { lab: { platform: lab } }\n' +
        'mesh.ts: mesh: is not a function; received "demo"; allowed ({ root, environment, values }) => a Mesh',
    ],
    [
      'names that lead out of a folder, and values that are none',
      () => loosely({ environments: { '../x': {}, '.': {}, prod: 'released' }, mesh: () => undefined }),
      ['../x', '.']
        .map(
          (name) =>
            `mesh.ts: environments: cannot be the name of a stack and a folder; received ${JSON.stringify(name)}; ` +
            'allowed letters, digits, "-", "_" and ".", at most 100, the first a letter or digit\n',
        )
        .join('') +
        'mesh.ts: environments.prod: is not an object; received "released"; allowed an object, such as { platform: lab }',
    ],
  ])('is refused for %s', (_, act, message) => {
    expect(act).toThrow(new Error(message));
  });
});
