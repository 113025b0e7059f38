import { expect, test } from '@jest/globals';
import { planAddresses } from './addresses.ts';
import { podRoutes } from './pod-routes.ts';

const names = ['a', 'b', 'c', 'd'];
const addresses = planAddresses('172.29.0.0/24', names);

test('nodes of clusters on one network have routes to the pods of each other, and none to those of another', () => {
  const networks = { a: 'one', b: 'two', c: 'one', d: 'one' };
  const routes = names.map((node) => podRoutes(addresses, networks, node).map((route) => route.join(' ')));
  expect(routes).toEqual([
    ['unreachable 10.20.0.0/16', '10.30.0.0/16 via 172.29.0.4', '10.40.0.0/16 via 172.29.0.5'],
    ['unreachable 10.10.0.0/16', 'unreachable 10.30.0.0/16', 'unreachable 10.40.0.0/16'],
    ['10.10.0.0/16 via 172.29.0.2', 'unreachable 10.20.0.0/16', '10.40.0.0/16 via 172.29.0.5'],
    ['10.10.0.0/16 via 172.29.0.2', 'unreachable 10.20.0.0/16', '10.30.0.0/16 via 172.29.0.4'],
  ]);
});

test('clusters whose networks are not known are on none together', () => {
  for (const node of names)
    for (const [first] of podRoutes(addresses, {}, node)) expect(first).toBe('unreachable');
});
