import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { currentBoot, readLabRecord, removeLabRecord, writeLabRecord } from './state.ts';

let stateDir = '';
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'state-'));
});
afterEach(() => {
  rmSync(stateDir, { recursive: true });
});

test('reads what was written, until it is removed', () => {
  const record = {
    subnet: '172.29.0.0/24',
    nodes: ['east'],
    mountPoints: ['/etc/cni'],
    netnsMounted: false,
    boot: currentBoot(),
  };
  expect(readLabRecord(stateDir)).toBeUndefined();
  writeLabRecord(stateDir, record);
  expect(readLabRecord(stateDir)).toEqual(record);
  removeLabRecord(stateDir);
  expect(readLabRecord(stateDir)).toBeUndefined();
});

test.each(['', '\0\0\0\0', '{"subnet":"172.29.0.0/24"'])('a torn record is none: %j', (content) => {
  writeFileSync(join(stateDir, 'lab.json'), content);
  expect(readLabRecord(stateDir)).toBeUndefined();
});
