import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeObject } from '../kube/kube-object.ts';
import { ensureTrust } from './folder.ts';
import { cacertsKey, cacertsSecret } from './objects.ts';
import { trustStatus } from './trust-status.ts';

let folder: string;
let cacerts: KubeObject;
const made = new Date('2030-01-01T00:00:00Z');
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'trust-status-'));
  const settings = { generation: 1, intermediate: 3 };
  const trust = await ensureTrust(folder, 'shop', ['east'], 'istio-system', settings, made);
  cacerts = cacertsSecret('shop', 'istio-system', trust['east']!);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test.each([
  ['2030-10-02T00:00:00Z', null],
  ['2030-10-04T00:00:00Z', 'its CA ends in 89 days: raise trust.intermediate to 4'],
  ['2030-12-31T00:00:00Z', 'its CA ends in 1 day: raise trust.intermediate to 4'],
  ['2030-12-31T00:00:01Z', 'its CA ends within a day: raise trust.intermediate to 4'],
  ['2031-01-01T00:00:00Z', 'its CA ended less than a day ago: raise trust.intermediate to 4'],
  ['2031-01-02T12:00:00Z', 'its CA ended 1 day ago: raise trust.intermediate to 4'],
  ['2031-01-03T00:00:00Z', 'its CA ended 2 days ago: raise trust.intermediate to 4'],
  [
    '2039-01-02T00:00:00Z',
    'its CA ended 2923 days ago: raise trust.intermediate to 4; its root CA ends in 362 days: begin with trust.generation 2, phase add-root',
  ],
])('at %s warns of what ends soon: %s', (now, warning) => {
  expect(trustStatus(cacerts, new Date(now))).toEqual({
    state: 'generation 1, intermediate 3',
    rootNotAfter: '2039-12-30T00:00:00.000Z',
    warning,
  });
});

test('in a rotation it does not warn of the old root, which is on its way out', async () => {
  const settings = { generation: 2, phase: 'add-root', intermediate: 4 } as const;
  const then = new Date('2039-05-01T00:00:00Z');
  const trust = await ensureTrust(folder, 'shop', ['east'], 'istio-system', settings, then);
  const rotating = cacertsSecret('shop', 'istio-system', trust['east']!);
  expect(trustStatus(rotating, new Date('2039-06-01T00:00:00Z'))).toEqual({
    state: 'generation 2, phase add-root, intermediate 4',
    rootNotAfter: '2039-12-30T00:00:00.000Z',
    warning: null,
  });
});

test('says nothing of a cluster without a CA, or with one that cannot be read', () => {
  expect(trustStatus(undefined)).toBeNull();
  expect(trustStatus(cacertsKey('istio-system'))).toBeNull();
});
