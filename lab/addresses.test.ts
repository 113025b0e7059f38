import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ProblemsError } from '../core/problem.ts';
import { defaultSubnet, overlaps, planAddresses } from './addresses.ts';

describe('planAddresses', () => {
  test('gives every node its own place', () => {
    const plan = planAddresses(defaultSubnet, ['east', 'west']);
    expect(plan.host).toBe('172.29.0.1');
    expect(plan.nodes['east']).toMatchObject({
      node: '172.29.0.2',
      pods: '10.10.0.0/16',
      services: '10.11.0.0/16',
      apiService: '10.11.0.1',
    });
    expect(plan.nodes['east']?.loadBalancers[0]).toBe('172.29.0.32');
    expect(plan.nodes['west']?.node).toBe('172.29.0.3');
    expect(plan.nodes['west']?.loadBalancers[0]).toBe('172.29.0.48');
  });

  test('never hands an address or a network out twice', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.nat(255), (count, octet) => {
        const names = Array.from({ length: count }, (_, index) => `c${index}`);
        const plan = planAddresses(`172.16.${octet}.0/24`, names);
        const nodes = Object.values(plan.nodes);
        const single = [plan.host, ...nodes.flatMap((node) => [node.node, ...node.loadBalancers])];
        expect(new Set(single).size).toBe(single.length);
        expect(single.every((address) => overlaps(plan.subnet, address))).toBe(true);
        const networks = [plan.subnet, ...nodes.flatMap((node) => [node.pods, node.services])];
        for (const [i, a] of networks.entries()) {
          for (const b of networks.slice(i + 1)) expect([a, b, overlaps(a, b)]).toEqual([a, b, false]);
        }
      }),
    );
  });

  test.each(['172.29.0.0/16', '172.29.0.1/24', '::/24', 'x', '172.29.0.0/24/3', ''])(
    'refuses the subnet %j',
    (subnet) => {
      expect(() => planAddresses(subnet, ['east'])).toThrow(
        new ProblemsError([
          {
            where: '--lab-subnet',
            what: 'is not a valid subnet for a lab',
            received: subnet,
            allowed: 'an IPv4 /24 such as 172.29.0.0/24',
          },
        ]),
      );
    },
  );

  test('refuses more nodes than the subnet has blocks for', () => {
    expect(() => planAddresses(defaultSubnet, ['a', 'b', 'c', 'd', 'e'])).toThrow(
      'lab: too many clusters for one lab; received 5; allowed 1 to 4',
    );
  });
});

test.each([
  ['10.0.0.0/8', '10.1.2.3', true],
  ['10.0.0.0/24', '10.0.1.0/24', false],
  ['172.16.0.0/12', '172.29.0.0/24', true],
  ['0.0.0.0/0', '172.29.0.0/24', true],
])('%s and %s overlap: %s', (a, b, expected) => {
  expect(overlaps(a, b)).toBe(expected);
  expect(overlaps(b, a)).toBe(expected);
});
