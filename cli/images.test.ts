import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { images } from './images.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'images-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

test('images are not named by the marker of a hole that is written beside the values', async () => {
  const charts = new URL('../charts/index.ts', import.meta.url).href;
  writeFileSync(
    join(root, 'mesh.ts'),
    `import { declare, hole, Mesh, released } from '${charts}';
export default declare({
  environments: { prod: {} },
  mesh: ({ root }) =>
    new Mesh('demo', {
      root,
      trustDomain: 'demo.example',
      platform: released({ imageHub: \`\${hole('registry')}/shop\`, istioTag: '1.29.2' }),
      clusters: { east: { network: 'n', region: 'r', zone: 'z' } },
    }),
});
`,
  );
  const folder = (name: string) => join(root, name);
  const at = {
    root,
    stateDir: folder('state'),
    cacheDir: folder('cache'),
    kubeconfig: folder('kubeconfig'),
    trustDir: folder('trust'),
    logsDir: folder('logs'),
    lockFile: folder('lock'),
  };
  await expect(images(at, { stack: 'prod' }, new AbortController().signal)).rejects.toThrow(
    new Error(
      'mesh.ts: platform: has the marker of the hole registry, which nothing would fill; ' +
        'allowed holes in the strings of the values of an environment, and of plain objects and arrays in them; ' +
        "fix: write hole('registry') there, and use the value that `mesh` is given",
    ),
  );
  // Before anything is written.
  expect(readdirSync(root)).toEqual(['mesh.ts']);
});
