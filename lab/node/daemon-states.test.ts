import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { DaemonStates, nextRestarts, restartDelayMs } from './daemon-states.ts';

test('counts restarts in a row, and starts over once a daemon ran for a minute', () => {
  expect(nextRestarts(0, 10)).toBe(1);
  expect(nextRestarts(5, 59_999)).toBe(6);
  expect(nextRestarts(5, 60_000)).toBe(1);
});

test('waits ever longer between restarts, up to ten seconds', () => {
  expect([1, 2, 3, 6, 7, 50].map(restartDelayMs)).toEqual([500, 1_000, 2_000, 10_000, 10_000, 10_000]);
});

test('keeps the states in its file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'daemons-'));
  const file = join(folder, 'daemons.json');
  const states = new DaemonStates(file, () => undefined);
  states.set('etcd', { pid: 7, restarts: 0, lastExit: undefined });
  states.set('kubelet', { pid: undefined, restarts: 1, lastExit: 'ended with SIGKILL' });
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
    etcd: { pid: 7, restarts: 0 },
    kubelet: { restarts: 1, lastExit: 'ended with SIGKILL' },
  });
  rmSync(folder, { recursive: true });
});

test('goes on when the file cannot be written, and says so', () => {
  const folder = mkdtempSync(join(tmpdir(), 'daemons-'));
  writeFileSync(join(folder, 'file'), '');
  const lines: string[] = [];
  const states = new DaemonStates(join(folder, 'file', 'daemons.json'), (line) => lines.push(line));
  states.set('etcd', { pid: 7, restarts: 0, lastExit: undefined });
  expect(lines).toEqual([`state of etcd: EEXIST: file already exists, mkdir '${join(folder, 'file')}'`]);
  expect(states.get('etcd')).toEqual({ pid: 7, restarts: 0, lastExit: undefined });
  rmSync(folder, { recursive: true });
});
