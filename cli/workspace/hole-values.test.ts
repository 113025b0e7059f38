import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { checkDist, writeDist } from '../../charts/dist.ts';
import { loadDeclaration } from './declaration.ts';
import { filledMesh, meshUp, synthAll, synthDeclared, synthFilled } from './synth-mesh.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'holes-'));
  const charts = pathToFileURL(fileURLToPath(new URL('../../charts/index.ts', import.meta.url))).href;
  const zone = (name: string) => `{ network: '${name}', region: 'r', zone: '${name}' }`;
  writeFileSync(
    join(root, 'mesh.ts'),
    `import { declare, hole, Mesh, released } from '${charts}';
const istioTag = '1.29.2';
export default declare({
  environments: { lab: { hub: 'registry.example' }, prod: { hub: hole('registry') } },
  mesh: ({ root, values: { hub } }) =>
    new Mesh('demo', {
      root,
      trustDomain: 'demo.example',
      platform: released({ imageHub: hub, istioHub: \`\${hub}/istio\`, istioTag }),
      clusters: { east: ${zone('e')}, west: ${zone('w')} },
    }),
});
`,
  );
});
afterEach(() => {
  rmSync(root, { recursive: true });
});
const config = (text: string) => {
  writeFileSync(join(root, 'Pulumi.prod.yaml'), `config:\n${text}`);
};
const record = (environment: string) => ({
  ...{ engine: 'apply' as const, lab: false, access: {} },
  environment,
});
const missing =
  'Pulumi.prod.yaml: values.registry: is missing: environment prod of mesh.ts has a hole of this name; ' +
  'allowed HOST or HOST:PORT, in lower case, such as registry.example:5000; fix: give it as meshwright:values.registry';

test("commands take the values of holes from the file of the environment's stack, and dist/ stays as synth writes it", async () => {
  const declaration = await loadDeclaration(root);
  const { dist } = synthAll(declaration, root);
  writeDist(root, dist);
  config('  meshwright:values: { registry: registry.example }\n');
  const of = { root, environment: 'prod' };
  const made = synthFilled(declaration, filledMesh(declaration, root, 'prod'), of);
  const applied = JSON.stringify(made.rendered.map(({ objects }) => objects));
  expect([applied.includes('registry.example/istio'), applied.includes('hole.invalid')]).toEqual([
    true,
    false,
  ]);
  expect(made.dist.some(({ yaml }) => yaml.includes('#   registry: meshwright:values.registry\n'))).toBe(
    true,
  );
  expect(writeDist(root, new Map([['prod', made.dist]]))).toEqual([]);
  expect(() => {
    checkDist(root, dist);
  }).not.toThrow();
  const seen = synthDeclared(await meshUp(root, record('prod')), 'prod');
  expect(seen.rendered).toEqual(made.rendered);
});

test('a hole that no file fills, and a value without a hole, are refused with the file and the key', async () => {
  const declaration = await loadDeclaration(root);
  const fill = (environment: string) => () => filledMesh(declaration, root, environment);
  expect(fill('prod')).toThrow(new Error(missing));
  await expect(meshUp(root, record('prod'))).rejects.toThrow(new Error(missing));
  writeFileSync(join(root, 'Pulumi.lab.yaml'), 'config:\n  meshwright:values: { registry: a.example }\n');
  expect(fill('lab')).toThrow(
    new Error(
      'Pulumi.lab.yaml: values.registry: fills no hole: environment lab of mesh.ts has none of this name; allowed none; fix: remove it',
    ),
  );
  // What is up takes nothing of the file.
  expect((await meshUp(root, record('lab'))).name).toBe('demo');
});
