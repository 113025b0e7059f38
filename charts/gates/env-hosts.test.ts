import { describe, expect, test } from '@jest/globals';
import { OrdersService } from '../../gen/test/orders/v1/orders_pb.js';
import { ExternalService } from '../constructs/access/external-service.ts';
import { GrpcService } from '../constructs/workload/grpc-service.ts';
import { catalogIn, problemsOf, twoClusters } from '../testing/mesh.ts';
import { withProject } from '../testing/project.ts';

/** What synth says of orders with such a variable, which calls the catalog or does not. */
const withEnv = (value: string, calls: boolean) =>
  withProject({ orders: { env: { TARGET: value } } }, (root) => {
    const mesh = twoClusters(root);
    const namespace = mesh.namespace('shop');
    const catalog = catalogIn(namespace);
    const orders = new GrpcService(namespace, 'orders', { app: 'apps/orders', service: OrdersService });
    if (calls) orders.calls(catalog.method.getProduct);
    return problemsOf(mesh);
  });
const at = 'demo/shop/orders: Deployment shop/orders: env TARGET of container orders names';
const host = 'catalog.shop.svc.cluster.local';

describe('a variable that names a service of the mesh', () => {
  test.each([`${host}:50051`, 'catalog.shop:50051', 'catalog:50051', `http://${host}/x`])(
    'is refused when the workload may not call it: %s',
    (value) => {
      expect(withEnv(value, false)).toEqual([
        `${at} a host that the workload may not call; received "${host}"; fix: declare the call with \`calls\`, or remove the variable`,
      ]);
      expect(withEnv(value, true)).toEqual([]);
    },
  );

  test('is refused when the service lacks the port', () => {
    expect(withEnv(`${host}:50052`, true)).toEqual([
      `${at} a port that ${host} does not have; received 50052; allowed 50051, 8081`,
    ]);
  });

  test.each(['catalogs.shop.svc.cluster.local', 'catalogs.shop:50051'])(
    'is refused when there is none: %s',
    (value) => {
      expect(withEnv(value, true)).toEqual([
        `${at} a host that resolves in no cluster; received "catalogs.shop.svc.cluster.local"; fix: did you mean ${host}?`,
      ]);
    },
  );

  test.each(['redis-cart:6379', 'redis://shop@redis-cart:6379/0', 'http://redis-cart:80'])(
    'is refused when none has its name, and the variable is for an address: %s',
    (value) => {
      expect(withEnv(value, true)).toEqual([
        `${at} a host that resolves in no cluster; received "redis-cart.shop.svc.cluster.local"; fix: declare it, such as a TcpService of this name, or remove the variable`,
      ]);
    },
  );

  test('says so of each in a list', () => {
    expect(
      withEnv('kafka-a:9092, kafka-b:9092,localhost:9092', true).map((line) => line.slice(at.length)),
    ).toEqual(
      ['a', 'b'].map(
        (one) =>
          ` a host that resolves in no cluster; received "kafka-${one}.shop.svc.cluster.local"; fix: declare it, such as a TcpService of this name, or remove the variable`,
      ),
    );
  });

  test('may be one that the hosts file of its pods has, and of a variable for something else no address', () => {
    const said = (env: object, pod: object = {}) =>
      withProject({ orders: { env, pod } }, (root) => {
        const mesh = twoClusters(root);
        new GrpcService(mesh.namespace('shop'), 'orders', { app: 'apps/orders', service: OrdersService });
        return problemsOf(mesh);
      });
    expect(said({ DB_ADDR: 'ledger:7000' }, { hostAliases: { '192.0.2.7': ['ledger'] } })).toEqual([]);
    expect(said({ CACHE_SIZE: 'entries:6379', BASE_IMAGE: 'alpine:2026' })).toEqual([]);
    expect(said({ DB_ADDR: 'ledger:7000' })).toHaveLength(1);
  });

  test.each([
    'test.catalog.v1.CatalogService',
    'v1.shop',
    'localhost:50051',
    '10.0.0.1:80',
    'a catalog',
    'catalog.shop',
    'https://catalog.shop/stock',
    'x@catalog.shop:50051',
    'catalog:3,inventory:2',
    'stock:3',
    '127.0.0.1:6379',
    'redis.example:6379',
    'urn:isbn:9780',
    'a stock:6379 there',
    'orders.shop.svc.cluster.local:50052',
  ])('is not what this is, or is its own: %s', (value) => {
    expect(withEnv(value, false)).toEqual([]);
  });
});

describe('a variable that names a port outside the mesh', () => {
  const ports = {
    db: { port: 5432, protocol: 'TCP', plaintext: true },
    api: { port: 443, protocol: 'TLS' },
  } as const;
  /** What synth says of orders with such a variable, which calls the port db or all or nothing. */
  const saidOf = (value: string, calls: 'all' | 'db' | 'nothing') =>
    withProject({ orders: { env: { TARGET: value } } }, (root) => {
      const mesh = twoClusters(root);
      const namespace = mesh.namespace('shop');
      const bank = new ExternalService(namespace, 'bank', { host: 'bank.example', ports });
      const orders = new GrpcService(namespace, 'orders', { app: 'apps/orders', service: OrdersService });
      if (calls !== 'nothing') orders.callsExternal(calls === 'db' ? bank.port.db : bank);
      return problemsOf(mesh);
    });
  const mayNot = (port: number) =>
    `${at} a port outside the mesh that the workload may not call; received "bank.example:${port}"; fix: declare the call with \`callsExternal\`, or remove the variable`;

  test.each<[string, 'all' | 'db' | 'nothing', readonly string[]]>([
    ['bank.example:5432', 'all', []],
    ['bank.example:5432', 'db', []],
    ['postgres://user@bank.example:5432/orders', 'db', []],
    ['bank.example:443', 'db', [mayNot(443)]],
    ['https://bank.example:443/v1', 'nothing', [mayNot(443)]],
    [
      'bank.example:5433',
      'all',
      [`${at} a port that bank.example does not have; received 5433; allowed 5432, 443`],
    ],
    ['bank.example', 'nothing', []],
    ['my-bank.example:1', 'nothing', []],
    ['bank.example.org:1', 'nothing', []],
  ])('%s, where it calls %s', (value, calls, problems) => {
    expect(saidOf(value, calls)).toEqual(problems);
  });
});
