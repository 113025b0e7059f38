import { describe, expect, test } from '@jest/globals';
import { synthesize } from '../../synth.ts';
import { expectGolden } from '../../testing/golden.ts';
import { objectOf, objectsOf, problemsOf } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { callingShop as shopOf } from '../../testing/shop.ts';
import type { ExternalProtocol, ExternalServiceProps } from './external-props.ts';
import { ExternalService } from './external-service.ts';

const payments = {
  host: 'payments.example',
  port: 443,
  protocol: 'TLS',
} as const satisfies ExternalServiceProps;

describe('ExternalService', () => {
  test('is known to its declared callers alone, in every cluster', () => {
    withProject({}, (root) => {
      const { mesh, catalog, orders } = shopOf(root);
      const external = new ExternalService(mesh.namespace('bank'), 'payments', payments);
      const audit = new ExternalService(mesh.namespace('audit'), 'trail', {
        host: 'trail.example',
        port: 9000,
        protocol: 'GRPC',
        plaintext: true,
        addresses: ['192.0.2.7', '2001:db8::7'],
      });
      orders.calls(catalog.method.getProduct);
      orders.callsExternal(external, audit);
      const rendered = synthesize(mesh);
      for (const cluster of ['east', 'west']) {
        expect(objectOf(rendered, cluster, 'ServiceEntry', 'payments')?.['spec']).toEqual({
          hosts: ['payments.example'],
          location: 'MESH_EXTERNAL',
          ports: [{ number: 443, name: 'tls', protocol: 'TLS' }],
          resolution: 'DNS',
          exportTo: ['.', 'shop'],
        });
        expect(objectOf(rendered, cluster, 'ServiceEntry', 'trail')?.['spec']).toMatchObject({
          resolution: 'STATIC',
          endpoints: [{ address: '192.0.2.7' }, { address: '2001:db8::7' }],
        });
        expect(objectOf(rendered, cluster, 'Sidecar', 'orders')).toHaveProperty('spec.egress', [
          {
            hosts: ['audit/trail.example', 'bank/payments.example', 'goods/catalog.goods.svc.cluster.local'],
          },
        ]);
        expect(objectOf(rendered, cluster, 'Sidecar', 'inventory')).toHaveProperty('spec.egress', [
          { hosts: ['~/*'] },
        ]);
      }
      expectGolden(
        import.meta.url,
        'external-service',
        objectsOf(rendered, 'west').filter(({ kind }) => kind === 'ServiceEntry'),
      );
    });
  });

  const host = 'allowed a fully qualified host name in lower case, such as payments.example';
  test.each<[string, Record<string, unknown>, string]>([
    [
      'a wildcard',
      { host: '*.payments.example' },
      `host: is a wildcard, which would allow calls to hosts that nobody reviewed; received "*.payments.example"; ${host}; fix: declare each host separately`,
    ],
    [
      'an IP address',
      { host: '192.0.2.7' },
      `host: is an IP address, but proxies tell external services apart by host name; received "192.0.2.7"; ${host}; fix: give a host name, and list the address in addresses`,
    ],
    [
      'a name within the clusters',
      { host: 'catalog.goods.svc.cluster.local' },
      'host: is a name inside the clusters; received "catalog.goods.svc.cluster.local"; fix: declare the service in the mesh, and allow the call with calls',
    ],
    ['a bare name', { host: 'payments' }, `host: is not a host name; received "payments"; ${host}`],
    ['no name', { host: 7 }, `host: is not a host name; received 7; ${host}`],
    [
      'no port',
      { port: 0 },
      'port: is not a port; received 0; allowed a whole number from 1 to 65535, except 15000 to 15099',
    ],
    [
      'HTTPS',
      { protocol: 'HTTPS' },
      'protocol: is not a protocol for an external service; received "HTTPS"; allowed GRPC, HTTP, TCP, TLS; fix: use TLS, which includes HTTPS, or HTTP with tls',
    ],
    [
      'another protocol',
      { protocol: 'gprc' },
      'protocol: is not a protocol for an external service; received "gprc"; allowed GRPC, HTTP, TCP, TLS; fix: did you mean GRPC?',
    ],
    [
      'no address',
      { addresses: [] },
      'addresses: is not a list of at least one address; received []; fix: list one, or leave addresses out to resolve the host by DNS',
    ],
    [
      'a wrong address',
      { addresses: ['192.0.2.256'] },
      'addresses: is not an IP address; received "192.0.2.256"; allowed IPv4 and IPv6 addresses',
    ],
    [
      'an address twice',
      { addresses: ['192.0.2.7', '192.0.2.7'] },
      'addresses: the address is listed twice; received "192.0.2.7"; fix: remove one',
    ],
  ])('refuses %s', (_, wrong, message) => {
    withProject({}, (root) => {
      const { mesh, shop } = shopOf(root);
      new ExternalService(shop, 'payments', { ...payments, ...wrong });
      expect(problemsOf(mesh)).toEqual([`demo/shop/payments: ${message}`]);
    });
  });

  test.each([
    [
      { port: 5432 },
      'protocol: port 5432 is the port of PostgreSQL, which begins in plaintext: the proxy waits for a TLS ClientHello, ' +
        'whose SNI names the host, and gets none; received "TLS"; ' +
        'fix: use a port where TLS starts at once, or TCP with plaintext: true, within which the caller can turn to TLS by itself',
    ],
    [
      { protocol: 'HTTP', plaintext: true },
      'protocol: port 443 is the port of HTTPS, but HTTP means plaintext here; received "HTTP"; allowed TLS; ' +
        'fix: use TLS, let the proxy encrypt with tls: {}, or use the plaintext port',
    ],
    ...[15001, 15021].map((port): [object, string] => [
      { port },
      'port: is a port that Istio uses in every pod (15000 to 15099): calls to it would end at the proxy; ' +
        `received ${port}; allowed a whole number from 1 to 65535, except 15000 to 15099; fix: reach the service on another port`,
    ]),
  ])('D9: refuses what cannot work: %j', (wrong, message) => {
    withProject({}, (root) => {
      const { mesh, shop } = shopOf(root);
      new ExternalService(shop, 'payments', { ...payments, ...wrong });
      expect(problemsOf(mesh)).toEqual([`demo/shop/payments: ${message}`]);
    });
  });

  test('refuses a name or a host that its namespace has already', () => {
    withProject({}, (root) => {
      const { mesh, shop } = shopOf(root);
      new ExternalService(shop, 'orders', payments);
      new ExternalService(shop, 'bank', payments);
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/orders: the namespace has two services of this name; received "orders"; fix: rename one',
        'demo/shop/bank: host: is already the host of demo/shop/orders; received "payments.example"; fix: declare it once and share it',
      ]);
    });
  });

  test('callsExternal is checked, whoever wrote it', () => {
    withProject({}, (root) => {
      const { mesh, shop, catalog, orders } = shopOf(root);
      const other = shopOf(root);
      const bank = mesh.namespace('bank');
      const foreign = new ExternalService(other.shop, 'payments', payments);
      const first = new ExternalService(shop, 'payments', payments);
      const second = new ExternalService(bank, 'payments', payments);
      const shared = new ExternalService(bank, 'ledger', {
        ...{ ...payments },
        host: 'ledger.example',
        port: 50051,
      });
      orders.calls(catalog.method.getProduct);
      orders.callsExternal('payments' as unknown as typeof first, foreign, first, second, shared);
      orders.callsExternal(catalog as unknown as typeof first);
      const where = 'demo/shop/orders: callsExternal';
      expect(problemsOf(mesh)).toEqual([
        `${where}[0]: is not an external service; received "payments"; allowed an ExternalService of this mesh, or a port of one`,
        `${where}[1]: is an external service of another mesh; received "demo/shop/payments"; fix: declare it in this mesh`,
        `${where}[2]: has the same host as demo/shop/payments, which the workload also calls; received "demo/shop/payments"; fix: call only one of them`,
        `${where}[3]: has the same host as demo/shop/payments, which the workload also calls; received "demo/bank/payments"; fix: call only one of them`,
        `${where}[4]: speaks TLS on port 50051, where the workload also calls plaintext HTTP or gRPC services: one listener of its proxy cannot do both; ` +
          'received "demo/bank/ledger"; fix: move one of them to another port',
        `${where}[5]: is not an external service; received "demo/goods/catalog"; allowed an ExternalService of this mesh, or a port of one`,
      ]);
    });
  });

  test.each<[ExternalProtocol, ExternalProtocol, boolean]>([
    ['TLS', 'TLS', false],
    ['TLS', 'HTTP', true],
    ['GRPC', 'TLS', true],
    ['GRPC', 'HTTP', false],
  ])('%s and %s on one port of two hosts: refused is %s', (first, second, isRefused) => {
    withProject({}, (root) => {
      const { mesh, shop, orders } = shopOf(root);
      const [one, two] = [first, second].map(
        (protocol, index) =>
          new ExternalService(shop, `bank-${index}`, {
            ...{ host: `bank-${index}.example`, port: 8080 },
            ...(protocol === 'TLS' ? { protocol } : { protocol, plaintext: true }),
          }),
      );
      const elsewhere = new ExternalService(shop, 'till', {
        host: 'till.example',
        port: 8081,
        protocol: 'TLS',
      });
      orders.callsExternal(one!, two!, elsewhere);
      const index = first === 'TLS' ? 0 : 1;
      expect(problemsOf(mesh)).toEqual(
        isRefused
          ? [
              `demo/shop/orders: callsExternal[${index}]: speaks TLS on port 8080, where the workload also calls plaintext HTTP or gRPC services: ` +
                `one listener of its proxy cannot do both; received "demo/shop/bank-${index}"; fix: move one of them to another port`,
            ]
          : [],
      );
    });
  });
});
