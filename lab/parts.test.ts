import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { formatProblem } from '../core/problem.ts';
import { identify } from '../core/process-identity.ts';
import { nodeFolder, nodeLogs, nodePaths } from './node/spec.ts';
import { watchDaemons } from './parts.ts';

let stateDir = '';
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'parts-'));
});
afterEach(() => {
  rmSync(stateDir, { recursive: true });
});

const lastExit = 'ended with exit code 1';
/** What the node east says of its daemons. */
function say(daemons: Readonly<Record<string, object>>): void {
  const file = nodePaths(nodeFolder(stateDir, 'east')).daemons;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(daemons));
}
function runEast(): void {
  writeFileSync(nodePaths(nodeFolder(stateDir, 'east')).process, JSON.stringify(identify(process.pid)));
}

test('names the daemons that are down and have ended again and again', () => {
  const failing = watchDaemons(stateDir, ['east', 'west']);
  expect(failing()).toEqual([]);
  say({
    etcd: { restarts: 6, lastExit },
    kubelet: { restarts: 5, lastExit },
    coredns: { pid: 7, restarts: 9, lastExit },
  });
  const log = join(nodeLogs(stateDir, 'east'), 'etcd.log');
  mkdirSync(dirname(log), { recursive: true });
  writeFileSync(log, 'started\nno such folder\n');
  // What a node that has ended left behind says nothing of the next one.
  expect(failing()).toEqual([]);
  runEast();
  expect(failing().map(formatProblem)).toEqual([
    'etcd of node east: keeps ending; the last time it ended with exit code 1; ' +
      `fix: the last lines of its log stand below, the whole of it in ${log}; correct the cause, and start the node anew by ` +
      '`npm run down` and `npm run up`\n    started\n    no such folder',
  ]);
});

test('restarts from before it looked do not count, and from its first fall on a count is new', () => {
  say({ etcd: { restarts: 40, lastExit }, coredns: { restarts: 40, lastExit } });
  runEast();
  const failing = watchDaemons(stateDir, ['east']);
  const names = (etcd: number, coredns: number) => {
    say({ etcd: { restarts: etcd, lastExit }, coredns: { restarts: coredns, lastExit } });
    return failing().map(({ where }) => where);
  };
  expect(failing()).toEqual([]);
  expect(names(45, 1)).toEqual([]);
  expect(names(46, 6)).toEqual(['etcd of node east']);
  expect(names(47, 7)).toEqual(['etcd of node east', 'coredns of node east']);
});
