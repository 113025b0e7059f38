import { describe, expect, test } from '@jest/globals';
import { formatProblem } from '../../core/problem.ts';
import type { KubernetesObject } from '../model/mesh-model.ts';
import { objectOf, renderedOf } from '../testing/rendered.ts';
import { conflicts } from './conflicts.ts';

const named = (name: string, namespace = 'shop') => ({ name, namespace });
const problemsOf = (...objects: KubernetesObject[]) => conflicts(renderedOf(objects)).map(formatProblem);
const istio = (kind: string, spec: object, metadata: object = named('one')) =>
  objectOf('networking.istio.io/v1', kind, spec, metadata);

/** Two objects of a kind that say these, and what they both claim; nothing where they can stand beside each other. */
type Pair = readonly [
  kind: string,
  first: object,
  second: object,
  claim: string | undefined,
  namespace?: string,
];

const host = (...hosts: string[]) => ({ hosts });
const at = (...gateways: string[]) => ({ gateways, ...host('a.example') });
const rule = (hostOf: string, matchLabels?: object) => ({
  host: hostOf,
  ...(matchLabels && { workloadSelector: { matchLabels } }),
});
const listens = (number: number, protocol?: string, more: object = {}) => ({
  hosts: [`db-${protocol ?? ''}${number}.example`],
  ports: [{ number, protocol }],
  ...more,
});
const nodePort = (number: number, protocol?: string) => ({
  ports: [{ port: 1 }, { nodePort: number, protocol }],
});
const server = (number: number, ...hosts: string[]) => ({
  selector: { b: '2', a: '1' },
  servers: [{ port: { number }, hosts }],
});
const swapped = { selector: { a: '1', b: '2' } };

test.each<Pair>([
  [
    'VirtualService',
    host('catalog'),
    host('catalog.shop.svc.cluster.local'),
    'host catalog.shop.svc.cluster.local in sidecars',
  ],
  ['VirtualService', host('catalog'), host('catalog'), undefined, 'outlet'],
  ['VirtualService', host('a.example'), host('b.example'), undefined],
  ['VirtualService', host('a.example'), at('mesh'), 'host a.example in sidecars'],
  ['VirtualService', at('edge'), at('other', 'shop/edge'), 'host a.example on Gateway shop/edge'],
  ['VirtualService', at('edge'), at('edge'), undefined, 'outlet'],
  ['VirtualService', at('edge'), at('mesh'), undefined],
  [
    'DestinationRule',
    rule('catalog'),
    rule('catalog.shop.svc.cluster.local'),
    'traffic to host catalog.shop.svc.cluster.local',
  ],
  ['DestinationRule', rule('catalog'), rule('stock'), undefined],
  ['DestinationRule', rule('catalog'), rule('catalog', { app: 'a' }), undefined],
  ['DestinationRule', rule('catalog', { app: 'a' }), rule('catalog', { app: 'b' }), undefined],
  [
    'DestinationRule',
    rule('catalog', { b: '2', a: '1' }),
    rule('catalog', { a: '1', b: '2' }),
    'traffic to host catalog.shop.svc.cluster.local for callers with labels a=1,b=2',
  ],
  ['Service', nodePort(31443), nodePort(31443, 'TCP'), 'node port 31443 (TCP)', 'outlet'],
  ['Service', nodePort(31443), nodePort(31443, 'UDP'), undefined],
  ['Service', nodePort(31443), nodePort(31444), undefined],
  ['Service', { ports: [{ port: 80 }] }, { ports: [{ port: 80 }] }, undefined],
  [
    'ServiceEntry',
    listens(5432, 'TCP'),
    listens(5432, 'tcp'),
    'all calls to port 5432 outside the mesh (TCP)',
    'outlet',
  ],
  ['ServiceEntry', listens(5432), listens(5432), 'all calls to port 5432 outside the mesh ()'],
  ['ServiceEntry', listens(5432, 'TCP'), listens(5433, 'TCP'), undefined],
  ['ServiceEntry', listens(5432, 'TCP'), listens(5432, 'TCP', { addresses: ['10.0.0.1'] }), undefined],
  ...['HTTP', 'HTTP2', 'GRPC', 'HTTPS', 'TLS', 'http'].map((protocol): Pair => [
    'ServiceEntry',
    listens(80, protocol),
    listens(80, protocol),
    undefined,
  ]),
  [
    'Gateway',
    server(443, 'a.example'),
    { ...server(443, 'b.example', 'a.example'), ...swapped },
    'host a.example on port 443 of the gateways with labels a=1,b=2',
    'outlet',
  ],
  ['Gateway', server(443, 'a.example'), server(80, 'a.example'), undefined],
  ['Gateway', server(443, 'a.example'), { ...server(443, 'a.example'), selector: { a: '1' } }, undefined],
])('%s: %j and %j both claim %s', (kind, first, second, claim, namespace = 'shop') => {
  const of = (spec: object, metadata: object) =>
    kind === 'Service' ? objectOf('v1', kind, spec, metadata) : istio(kind, spec, metadata);
  expect(problemsOf(of(first, named('first')), of(second, named('second', namespace)))).toEqual(
    claim === undefined
      ? []
      : [
          `own: ${kind} ${namespace}/second claims ${claim}, as does ${kind} shop/first of own; fix: keep one of them`,
        ],
  );
});

describe('what one object claims', () => {
  test('twice is told of itself', () => {
    expect(
      problemsOf(
        istio('ServiceEntry', { hosts: ['a.example', 'b.example'], ports: [{ number: 9, protocol: 'TCP' }] }),
      ),
    ).toEqual([
      'own: ServiceEntry shop/one claims all calls to port 9 outside the mesh (TCP) twice; fix: keep one of them',
    ]);
  });

  test('is of its own cluster', () => {
    const one = istio('VirtualService', host('a.example'));
    expect(conflicts(renderedOf([one], [one]))).toEqual([]);
  });

  test('is told of every other, beside the first', () => {
    const three = ['a', 'b', 'c'].map((name) => istio('VirtualService', host('x.example'), named(name)));
    expect(problemsOf(...three)).toEqual(
      ['b', 'c'].map(
        (name) =>
          `own: VirtualService shop/${name} claims host x.example in sidecars, as does VirtualService shop/a of own; fix: keep one of them`,
      ),
    );
  });
});
