import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { formatProblem } from '../core/problem.ts';
import { identify } from '../core/process-identity.ts';
import { nodeFolder, nodeLogs, nodePaths } from './node/spec.ts';
import { failingDaemons } from './parts.ts';

let stateDir = '';
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'parts-'));
});
afterEach(() => {
  rmSync(stateDir, { recursive: true });
});

test('names the daemons that are down and have ended again and again', () => {
  expect(failingDaemons(stateDir, 'east')).toEqual([]);
  const { daemons, process: node } = nodePaths(nodeFolder(stateDir, 'east'));
  mkdirSync(dirname(daemons), { recursive: true });
  const lastExit = 'ended with exit code 1';
  writeFileSync(
    daemons,
    JSON.stringify({
      etcd: { restarts: 6, lastExit },
      kubelet: { restarts: 5, lastExit },
      coredns: { pid: 7, restarts: 9, lastExit },
    }),
  );
  const log = join(nodeLogs(stateDir, 'east'), 'etcd.log');
  mkdirSync(dirname(log), { recursive: true });
  writeFileSync(log, 'started\nno such folder\n');
  // What a node that has ended left behind says nothing of the next one.
  expect(failingDaemons(stateDir, 'east')).toEqual([]);
  writeFileSync(node, JSON.stringify(identify(process.pid)));
  expect(failingDaemons(stateDir, 'east').map(formatProblem)).toEqual([
    'etcd of node east: keeps ending; the last time it ended with exit code 1; ' +
      `fix: the last lines of its log stand below, the whole of it in ${log}; correct the cause, and start the node anew by ` +
      '`npm run down` and `npm run up`\n    started\n    no such folder',
  ]);
});
