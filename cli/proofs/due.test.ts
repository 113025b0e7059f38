import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withProject } from '../../charts/testing/project.ts';
import { shopInTwo } from '../../charts/testing/shop.ts';
import { proofsOf } from './all.ts';
import { ProvedOnce, type Touched } from './due.ts';

const model = withProject({}, (root) => shopInTwo(root).model());
const disturbing = proofsOf(model).kept.filter(({ disturbs }) => disturbs === true);

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'proved-'));
});
afterEach(() => {
  rmSync(stateDir, { recursive: true });
});

/** One `up`: which proofs it finds due; it makes them unless it is to fail. */
function up(touched: Touched, fails = false): number {
  const proved = new ProvedOnce(stateDir);
  const due = proved.due(disturbing, touched);
  if (!fails) for (const proof of due) proved.add(proof);
  return due.length;
}

test('of the shop, the failover of the catalog is what disturbs', () => {
  expect(disturbing.map(({ title }) => title)).toEqual([
    'with catalog scaled to 0 in east, its answers come from west, and from east again after',
  ]);
});

test('it is made at the first up, and not again while nothing changes', () => {
  expect([up(['Namespace shop']), up([]), up([])]).toEqual([1, 0, 0]);
});

test('it is made again until it ends well', () => {
  expect([up([], true), up([], true), up([]), up([])]).toEqual([1, 1, 1, 0]);
});

test('an up that ends before it is known what it did leaves it to the next one', () => {
  up([]);
  new ProvedOnce(stateDir);
  expect(up([])).toBe(1);
});

test('a record that cannot be read is none', () => {
  up([]);
  writeFileSync(join(stateDir, 'proofs.json'), '["with the cat');
  expect(up([])).toBe(1);
});

test.each<[string, number, Touched]>([
  ['the service itself', 1, ['Deployment shop/catalog']],
  ['what belongs to it', 1, ['DestinationRule shop/catalog-traffic']],
  ['the edge that calls come through', 1, ['Deployment shop/edge']],
  ['the control plane', 1, ['Deployment istio-system/istiod']],
  ['a gateway', 1, ['Service istio-eastwest/istio-eastwestgateway']],
  ['an object of no namespace', 1, ['ClusterRole istiod']],
  ['what belongs to no workload', 1, ['PeerAuthentication shop/default']],
  ['something that is not named', 1, 'unknown'],
  ['another service', 0, ['Deployment shop/orders', 'ServiceAccount shop/inventory']],
])('after a change of %s it is due %d times', (_, times, touched) => {
  up([]);
  expect(up(touched)).toBe(times);
});

test('calls of a probe are made again after any change', () => {
  const probes = proofsOf(model).kept.filter(({ disturbs }) => disturbs !== true);
  expect(probes.map(({ title }) => title)).toEqual(['orders in east gets to catalog and inventory']);
  expect(probes.map(({ concerns }) => concerns?.('Sidecar shop/inventory'))).toEqual([true]);
});
