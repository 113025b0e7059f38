import { expect, test } from '@jest/globals';
import { envoy, httpFilter, said as saidOf, type Own } from '../../testing/own-objects.ts';

/** What synth says of a filter for declared pods, for which there is a reason. */
const said = (filter: Own) =>
  saidOf({ ...filter, annotations: { 'meshwright/accept-own-proxy': 'of this test' } });

const at = 'demo/custom: EnvoyFilter shop/own: spec.configPatches[0]';
const value = { name: 'own' };

test.each([
  ['ROUTE_CONFIGURATION', 'ADD', 'MERGE'],
  ['ROUTE_CONFIGURATION', 'REMOVE', 'MERGE'],
  ['HTTP_ROUTE', 'ADD', 'INSERT_BEFORE, INSERT_AFTER, INSERT_FIRST, MERGE'],
  ['HTTP_ROUTE', 'REMOVE', 'INSERT_BEFORE, INSERT_AFTER, INSERT_FIRST, MERGE'],
  ['CLUSTER', 'REPLACE', 'ADD, MERGE, REMOVE'],
  ['CLUSTER', 'INSERT_AFTER', 'ADD, MERGE, REMOVE'],
])('what cannot be done to a part of the configuration: %s, %s', (applyTo, operation, allowed) => {
  expect(said(envoy(applyTo, {}, { operation, value }))).toEqual([
    `${at} has no effect: ${applyTo} does not support its operation; received "${operation}"; allowed ${allowed}; fix: correct or remove it`,
  ]);
});

const unordered = ({ body, ...own }: Own): Own => {
  const { spec } = body as { readonly spec: object };
  return { ...own, body: { spec: { ...spec, priority: 0 } } };
};

test.each(['INSERT_BEFORE', 'INSERT_AFTER', 'REMOVE', 'REPLACE'])(
  'what depends on the order of filters, where none is given: %s',
  (operation) => {
    const filter = envoy('HTTP_FILTER', httpFilter('own'), { operation, value });
    expect(said(unordered(filter))).toEqual([
      `${at} depends on the order of EnvoyFilters, which without a priority is the order of their creation in each cluster; received "${operation}"; fix: set spec.priority to a value other than 0: 10 applies it after those without a priority`,
    ]);
    expect(said(filter)).toEqual([]);
  },
);

test.each(['ADD', 'INSERT_FIRST', 'MERGE'])('what does not: %s', (operation) => {
  expect(said(unordered(envoy('HTTP_FILTER', httpFilter('own'), { operation, value })))).toEqual([]);
});

/** https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter-Patch-Operation */
const operations = ['ADD', 'MERGE', 'REMOVE', 'INSERT_BEFORE', 'INSERT_AFTER', 'INSERT_FIRST', 'REPLACE'];
const all = operations.join(', ');
test.each([
  ['LISTENER', 'ADD, MERGE, REMOVE'],
  ['FILTER_CHAIN', 'ADD, MERGE, REMOVE'],
  ['LISTENER_FILTER', all],
  ['NETWORK_FILTER', all],
  ['HTTP_FILTER', all],
  ['ROUTE_CONFIGURATION', 'MERGE'],
  ['VIRTUAL_HOST', 'ADD, MERGE, REMOVE, REPLACE'],
  ['HTTP_ROUTE', 'INSERT_BEFORE, INSERT_AFTER, INSERT_FIRST, MERGE'],
  ['CLUSTER', 'ADD, MERGE, REMOVE'],
  ['EXTENSION_CONFIG', 'ADD'],
  ['BOOTSTRAP', 'MERGE'],
])('to %s can be done %s, and nothing else', (applyTo, allowed) => {
  for (const operation of operations)
    expect(effectless(said(envoy(applyTo, {}, { operation, value })))).toEqual(
      allowed.split(', ').includes(operation)
        ? []
        : [
            `${at} has no effect: ${applyTo} does not support its operation; received "${operation}"; allowed ${allowed}; fix: correct or remove it`,
          ],
    );
});

/** What a patch may do at all, such as one that removes a filter, is another gate's. */
function effectless(problems: readonly string[]): readonly string[] {
  return problems.filter((problem) => problem.includes('has no effect'));
}

test('a patch without an operation has no effect', () => {
  expect(effectless(said(envoy('CLUSTER', {}, { value })))).toEqual([
    `${at} has no effect: CLUSTER does not support its operation; received nothing; allowed ADD, MERGE, REMOVE; fix: correct or remove it`,
  ]);
});
