import { beforeEach, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { declaredProject } from './testing/project.ts';
import type { UpFlags } from './up-flags.ts';
import { up } from './up.ts';
import { thisWorkspace, type Workspace } from './workspace/workspace.ts';

const lockOf = (root: string) => join(root, 'images.lock.json');

/** A project whose lock is not what its sources make, so that whatever brings it up to date changes the file. */
let at: Workspace;
let stale: string;
beforeEach(() => {
  const root = declaredProject();
  stale = readFileSync(lockOf(root), 'utf8');
  const stateDir = join(root, '.meshwright');
  at = { ...thisWorkspace({ MESHWRIGHT_STATE_DIR: stateDir }), root };
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
