import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UpFlags } from './up-flags.ts';
import { up } from './up.ts';
import { thisWorkspace, type Workspace } from './workspace/workspace.ts';

const checkout = thisWorkspace().root;
const lockOf = (root: string) => join(root, 'images.lock.json');

/** A checkout whose lock is not what its sources make, so that whatever brings it up to date changes the file. */
let at: Workspace;
let stale: string;
beforeEach(() => {
  const root = mkdtempSync(join(tmpdir(), 'up-'));
  for (const name of [
    'apps',
    'charts',
    'core',
    'gen',
    'http-rule',
    'images',
    'mesh.ts',
    'node_modules',
    'package.json',
    'tsconfig.json',
    'Pulumi.lab.yaml',
  ])
    symlinkSync(join(checkout, name), join(root, name));
  const lock = JSON.parse(readFileSync(lockOf(checkout), 'utf8')) as { apps: Record<string, object> };
  const apps = Object.entries(lock.apps).map(([name, image]): [string, object] => [
    name,
    Object.assign(image, { digest: `sha256:${'0'.repeat(64)}` }),
  ]);
  stale = JSON.stringify({ ...lock, apps: Object.fromEntries(apps) });
  writeFileSync(lockOf(root), stale);
  const stateDir = join(root, '.meshwright');
  at = { ...thisWorkspace({ MESHWRIGHT_STATE_DIR: stateDir }), root };
});
afterEach(() => {
  rmSync(at.root, { recursive: true });
});

test.each<[string, Partial<UpFlags>, string]>([
  [
    'an unknown cluster',
    { context: ['eats=a'] },
    '--context: names a cluster that the mesh does not declare; received "eats"; allowed east, west; fix: write --context east=a',
  ],
  [
    'a cluster without a context',
    { context: ['east=a'] },
    '--context: is missing for cluster west; allowed one context for every cluster of the mesh, or none at all for the lab; fix: add --context west=CONTEXT',
  ],
  [
    'a subnet that is none',
    { labSubnet: '10.0.0.0/8' },
    '--lab-subnet: is not a valid subnet for a lab; received "10.0.0.0/8"; allowed an IPv4 /24 such as 172.29.0.0/24',
  ],
])('%s is told before anything is written', async (_, flags, message) => {
  const running = up(at, { context: [], engine: 'apply', ...flags }, new AbortController().signal);
  await expect(running).rejects.toThrow(new Error(message));
  expect(readFileSync(lockOf(at.root), 'utf8')).toBe(stale);
  expect([existsSync(at.stateDir), existsSync(join(at.root, 'dist'))]).toEqual([false, false]);
});
