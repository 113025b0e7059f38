import { expect, test } from '@jest/globals';
import { EnvError, address, baseEnv, integer, isAddress, list, parseEnv } from './env.ts';

test('reads what is there and fills in the defaults', () => {
  const shape = { ...baseEnv, GRPC_PORT: integer(1, 65_535), CATALOG_ADDRESS: address() };
  expect(
    parseEnv(shape, {
      CLUSTER_NAME: 'east',
      POD_NAME: 'a',
      GRPC_PORT: '50051',
      CATALOG_ADDRESS: '[::1]:80',
      HOME: '/',
    }),
  ).toEqual({
    CLUSTER_NAME: 'east',
    POD_NAME: 'a',
    LOG_LEVEL: 'info',
    DRAIN_DELAY_MS: 10_000,
    DRAIN_LIMIT_MS: 15_000,
    GRPC_PORT: 50_051,
    CATALOG_ADDRESS: '[::1]:80',
  });
});

test('a program drains, by default, within the 30 s that a pod has to end', () => {
  const { DRAIN_DELAY_MS, DRAIN_LIMIT_MS } = parseEnv(baseEnv, { CLUSTER_NAME: 'east', POD_NAME: 'a' });
  expect(DRAIN_DELAY_MS + DRAIN_LIMIT_MS).toBeLessThan(30_000);
});

test('reads a list, and refuses it for one wrong entry', () => {
  const shape = { NAMES: list(/^[a-z]+$/, 'a list of names').default([]) };
  expect(parseEnv(shape, { NAMES: 'a, b' })).toEqual({ NAMES: ['a', 'b'] });
  expect(parseEnv(shape, {})).toEqual({ NAMES: [] });
  expect(() => parseEnv(shape, { NAMES: 'a,,b' })).toThrow(
    new EnvError(['NAMES: wrong value; allowed a list of names']),
  );
});

test('names every problem, without the values', () => {
  const shape = { ...baseEnv, GRPC_PORT: integer(1, 65_535), CATALOG_ADDRESS: address() };
  const wrong = {
    POD_NAME: '',
    LOG_LEVEL: 'loud',
    DRAIN_DELAY_MS: '-1',
    GRPC_PORT: '65536',
    CATALOG_ADDRESS: 'hunter2',
  };
  expect(() => parseEnv(shape, wrong)).toThrow(
    [
      'environment: CLUSTER_NAME: missing; allowed the name of the cluster',
      'environment: POD_NAME: wrong value; allowed the name of the pod',
      'environment: LOG_LEVEL: wrong value; allowed trace, debug, info, warn, error, fatal, silent',
      'environment: DRAIN_DELAY_MS: wrong value; allowed a whole number from 0 to 600000',
      'environment: GRPC_PORT: wrong value; allowed a whole number from 1 to 65535',
      'environment: CATALOG_ADDRESS: wrong value; allowed host:port, such as catalog.shop.svc.cluster.local:50051',
    ].join('\n'),
  );
});

test.each<[string, boolean]>([
  ['127.0.0.1:50051', true],
  ['catalog:1', true],
  ['[::1]:65535', true],
  ['catalog', false],
  ['catalog:0', false],
  ['catalog:65536', false],
  ['http://catalog:80', false],
  ['-a:80', false],
  ['a b:80', false],
])('%s is an address: %s', (value, expected) => {
  expect(isAddress(value)).toBe(expected);
});
