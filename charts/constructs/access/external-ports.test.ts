import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { synthesize } from '../../synth.ts';
import { expectGolden } from '../../testing/golden.ts';
import { objectOf, objectsOf, problemsOf } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { callingShop } from '../../testing/shop.ts';
import { UnknownPort } from '../scope/tcp-port.ts';
import type { ExternalPort } from './external-port.ts';
import type { ExternalServiceProps } from './external-props.ts';
import { portsProblems } from './external-port-rules.ts';
import { ExternalService } from './external-service.ts';

const bank = {
  host: 'bank.example',
  addresses: ['192.0.2.7', '192.0.2.8'],
  ports: {
    https: { port: 80, targetPort: 443, protocol: 'HTTP', tls: {} },
    ledger: {
      ...{ port: 7000, protocol: 'TCP' },
      tls: {
        serverName: 'ledger.bank.example',
        ca: { secret: 'bank-ca' },
        client: { secret: 'bank-client' },
      },
    },
    feed: { port: 7001, protocol: 'TCP', plaintext: true },
    own: { port: 8443, protocol: 'TLS' },
  },
} as const satisfies ExternalServiceProps;

describe('a host outside the mesh with several ports', () => {
  test('is called at all of them, or at those that a caller names', () => {
    withProject({}, (root) => {
      const { mesh, shop, catalog, inventory, orders } = callingShop(root);
      const external = new ExternalService(shop, 'bank', bank);
      orders.callsExternal(external);
      inventory.calls(catalog.method.getProduct);
      inventory.callsExternal(external.port.ledger, external.port.feed);
      const rendered = synthesize(mesh);
      const objects = objectsOf(rendered, 'west').filter(
        ({ kind, metadata }) =>
          (metadata.name === 'bank' && kind !== 'Namespace') ||
          (kind === 'Sidecar' && ['inventory', 'orders'].includes(metadata.name)),
      );
      expectGolden(import.meta.url, 'external-ports', objects);
      for (const cluster of ['east', 'west']) {
        const egressOf = (name: string) => objectOf(rendered, cluster, 'Sidecar', name);
        expect(egressOf('orders')).toHaveProperty('spec.egress', [{ hosts: ['shop/bank.example'] }]);
        expect(egressOf('inventory')).toHaveProperty('spec.egress', [
          { port: { number: 7000, protocol: 'TCP', name: 'tcp-7000' }, hosts: ['shop/bank.example'] },
          { port: { number: 7001, protocol: 'TCP', name: 'tcp-7001' }, hosts: ['shop/bank.example'] },
          { hosts: ['goods/catalog.goods.svc.cluster.local'] },
        ]);
        expect(egressOf('catalog')).toHaveProperty('spec.egress', [{ hosts: ['~/*'] }]);
        // The server is checked on every port that the proxy encrypts, and on no other.
        const settings = [
          { port: { number: 80 }, tls: { mode: 'SIMPLE', sni: 'bank.example', caCertificates: 'system' } },
          {
            port: { number: 7000 },
            tls: {
              ...{ mode: 'MUTUAL', sni: 'ledger.bank.example', subjectAltNames: ['ledger.bank.example'] },
              caCertificates: '/etc/external-tls/bank-ca/ca.crt',
              clientCertificate: '/etc/external-tls/bank-client/tls.crt',
              privateKey: '/etc/external-tls/bank-client/tls.key',
            },
          },
        ];
        expect(objectOf(rendered, cluster, 'DestinationRule', 'bank')).toMatchObject({
          spec: { host: 'bank.example', trafficPolicy: { portLevelSettings: settings }, exportTo: ['.'] },
        });
        expect(objectOf(rendered, cluster, 'ServiceEntry', 'bank')).toHaveProperty('spec.addresses', [
          ...bank.addresses,
        ]);
      }
    });
  });

  test('gives the Secrets to the proxies of those who call the port, and to nobody else', () => {
    withProject({}, (root) => {
      const { mesh, shop, catalog, inventory, orders } = callingShop(root);
      const external = new ExternalService(shop, 'bank', bank);
      orders.callsExternal(external.port.ledger);
      inventory.callsExternal(external.port.feed, external.port.https);
      catalog.callsExternal(external.port.own);
      const rendered = synthesize(mesh);
      const annotations = (name: string, namespace = 'shop') =>
        (
          objectsOf(rendered, 'east').find(
            ({ kind, metadata }) =>
              kind === 'Deployment' && metadata.name === name && metadata.namespace === namespace,
          ) as
            | {
                readonly spec?: {
                  readonly template: { readonly metadata: { readonly annotations: object } };
                };
              }
            | undefined
        )?.spec?.template.metadata.annotations;
      const secrets = {
        'sidecar.istio.io/userVolume':
          '{"external-tls-0":{"secret":{"secretName":"bank-ca"}},"external-tls-1":{"secret":{"secretName":"bank-client"}}}',
        'sidecar.istio.io/userVolumeMount':
          '{"external-tls-0":{"mountPath":"/etc/external-tls/bank-ca","readOnly":true},' +
          '"external-tls-1":{"mountPath":"/etc/external-tls/bank-client","readOnly":true}}',
      };
      expect(annotations('orders')).toMatchObject(secrets);
      for (const [name, namespace] of [
        ['inventory', 'shop'],
        ['catalog', 'goods'],
      ] as const) {
        expect(annotations(name, namespace)).toBeDefined();
        expect(Object.keys(annotations(name, namespace) ?? {})).not.toContain('sidecar.istio.io/userVolume');
      }
      // Whoever acts in its name, such as the probes of up, gets them as well.
      const models = mesh.model().workloads;
      expect(models.find(({ name }) => name === 'orders')?.proxyAnnotations).toEqual(secrets);
      expect(models.find(({ name }) => name === 'inventory')?.proxyAnnotations).toBeUndefined();
    });
  });

  test('a port that a caller may not call as a whole keeps what else is called there', () => {
    withProject({}, (root) => {
      const { mesh, shop, catalog, orders } = callingShop(root);
      const both = {
        http: { port: 50051, protocol: 'GRPC', plaintext: true },
        other: { port: 99, protocol: 'TLS' },
      } as const;
      const external = new ExternalService(shop, 'feed', { host: 'feed.example', ports: both });
      orders.calls(catalog.method.getProduct);
      orders.callsExternal(external.port.http);
      expect(objectOf(synthesize(mesh), 'east', 'Sidecar', 'orders')).toHaveProperty('spec.egress', [
        {
          port: { number: 50051, protocol: 'HTTP', name: 'http-50051' },
          hosts: ['goods/catalog.goods.svc.cluster.local', 'shop/feed.example'],
        },
        { hosts: ['goods/catalog.goods.svc.cluster.local'] },
      ]);
    });
  });

  const where = 'demo/shop/bank';
  const host = 'bank.example';
  const tcp = { port: 9000, protocol: 'TCP' };
  const secret =
    'allowed a DNS subdomain: up to 253 characters of a-z, 0-9, hyphen and dot, starting and ending with a letter or digit; fix: put';
  test.each<[string, Record<string, unknown>, readonly string[]]>([
    [
      'plaintext that nobody said is meant',
      { ...tcp },
      [
        'protocol: calls would leave the mesh in plaintext, and nothing says that this is meant; received "TCP"; allowed tls or plaintext beside it; ' +
          'fix: let the proxy encrypt them with tls: {}, use TLS if the caller encrypts, or say plaintext: true',
      ],
    ],
    [
      'both ways',
      { ...tcp, tls: {}, plaintext: true },
      [
        'plaintext: says that calls leave in plaintext, and tls that the proxy encrypts them; received true; fix: keep one of them',
      ],
    ],
    [
      'TLS in TLS',
      { port: 9000, protocol: 'TLS', tls: {}, plaintext: true },
      [
        'tls: cannot be combined with the protocol TLS, in which the caller encrypts by itself; ' +
          'fix: remove it, or say what the caller speaks in plaintext: GRPC, HTTP or TCP',
        'plaintext: cannot be combined with the protocol TLS, in which the caller encrypts by itself; received true; ' +
          'fix: remove it, or say what the caller speaks in plaintext: GRPC, HTTP or TCP',
      ],
    ],
    [
      'plaintext: false',
      { ...tcp, tls: {}, plaintext: false },
      [
        'plaintext: is not true; received false; allowed true, or nothing',
        'plaintext: says that calls leave in plaintext, and tls that the proxy encrypts them; received false; fix: keep one of them',
      ],
    ],
    [
      'TLS where the server begins in plaintext',
      { port: 7000, targetPort: 5432, protocol: 'TCP', tls: {} },
      [
        'protocol: port 5432 is the port of PostgreSQL, which begins in plaintext: the server would not understand a proxy that begins with TLS; received "TCP"; ' +
          'fix: use a port where TLS starts at once, or TCP with plaintext: true, within which the caller can turn to TLS by itself',
      ],
    ],
    [
      'wrong Secrets and names',
      {
        ...tcp,
        tls: { serverName: 'bank', ca: { secret: 7, key: '..' }, client: { secrets: 'a' }, sni: 'x' },
      },
      [
        'tls.sni: unknown key; received "sni"; allowed serverName, ca, client; fix: remove it; a construct of your own that reads it passes on the other properties only',
        'tls.serverName: is not a host name; received "bank"; allowed a fully qualified host name in lower case, such as payments.example',
        `tls.ca.secret: is not the name of a Secret; ${secret} the certificates of the CAs into a Secret in the namespace of each caller, and name it here`,
        'tls.ca.key: is not a key of a Secret; received ".."; allowed a-z, A-Z, 0-9, - _ .',
        'tls.client.secrets: unknown key; received "secrets"; allowed secret; fix: did you mean secret?',
        `tls.client.secret: is not the name of a Secret; ${secret} the certificate and its key, as tls.crt and tls.key, into a Secret in the namespace of each caller, and name it here`,
      ],
    ],
    [
      'no mapping for tls',
      { ...tcp, tls: true },
      ['tls: is not a mapping; received true; allowed {}, or with serverName, ca, client'],
    ],
    [
      'a port beside ports',
      { port: 1, ports: { a: { ...tcp, plaintext: true } } },
      ['port: cannot be combined with ports, which say it of each; received 1; fix: remove it'],
    ],
    [
      'no ports at all',
      { ports: {} },
      [
        'ports: has no port; received {}; allowed ports by name, such as { https: { port: 443, protocol: TLS } }',
      ],
    ],
    [
      'wrong ports',
      {
        ports: {
          Feed: { ...tcp, plaintext: true, targetPort: 0 },
          b: { ...tcp, plaintext: true, hots: 1 },
          c: 5,
        },
      },
      [
        'ports.Feed: is not a name of a port; received "Feed"; allowed 1 to 15 characters of a-z, 0-9 and single inner hyphens, at least one of them a letter',
        'ports.Feed.targetPort: is not a port; received 0; allowed a whole number from 1 to 65535',
        'ports.b.hots: unknown key; received "hots"; allowed port, protocol, targetPort, tls, plaintext; fix: remove it; a construct of your own that reads it passes on the other properties only',
        'ports.b.port: is also the port of Feed; received 9000; fix: give each its own',
        'ports.c.port: is not a port; received nothing; allowed a whole number from 1 to 65535, except 15000 to 15099',
        'ports.c.protocol: is not a protocol for an external service; received nothing; allowed GRPC, HTTP, TCP, TLS',
      ],
    ],
  ])('refuses %s', (_, props, messages) => {
    withProject({}, (root) => {
      const { mesh, shop } = callingShop(root);
      new ExternalService(shop, 'bank', { host, ...props } as unknown as ExternalServiceProps);
      expect(problemsOf(mesh)).toEqual(messages.map((message) => `${where}: ${message}`));
    });
  });

  test('finds something to say of whatever is no port, and never throws', () => {
    const sound = fc.constantFrom(undefined, {}, { ca: { secret: 'a' } });
    fc.assert(
      fc.property(fc.anything(), sound, (anything, tls) => {
        expect(Array.isArray(portsProblems(where, anything))).toBe(true);
        expect(Array.isArray(portsProblems(where, { ports: { a: anything } }))).toBe(true);
        expect(
          Array.isArray(portsProblems(where, { ...tcp, tls: anything ?? tls, plaintext: anything })),
        ).toBe(true);
      }),
    );
  });
});

describe('calls over TCP, which no name tells apart', () => {
  const plain = { protocol: 'TCP', plaintext: true } as const;
  const at = (port: number, ...addresses: string[]) =>
    ({ ...plain, port, ...(addresses.length === 0 ? {} : { addresses }) }) as const;
  const tls = (port: number) => ({ port, protocol: 'TLS' }) as const;
  const http = (port: number) => ({ port, protocol: 'HTTP', plaintext: true }) as const;
  const where = 'demo/shop/orders: callsExternal';
  const taking = (index: number, port: number, host: string, others: string) =>
    `${where}[${index}]: is TCP on port ${port} without addresses, so that the proxy takes all calls to this port for ${host}, also those to ${others}; ` +
    `received "demo/shop/e${index}"; fix: give it addresses, or move one of them to another port`;

  test.each<[string, readonly object[], readonly string[]]>([
    ['two ports', [at(5432), at(3306)], []],
    ['one port of two hosts', [at(5432), at(5432)], [taking(1, 5432, 'e1.example', 'demo/shop/e0')]],
    ['one port, and one of them by its address', [at(5432), at(5432, '192.0.2.1')], []],
    ['one port, and addresses of their own', [at(5432, '192.0.2.2'), at(5432, '192.0.2.1')], []],
    [
      'one port, and an address that both have',
      [at(5432, '192.0.2.2'), at(5432, '192.0.2.1', '192.0.2.2')],
      [
        `${where}[1]: is on port 5432 of an address that demo/shop/e0 is at, too: nothing in a call over TCP tells the two apart; ` +
          'received "demo/shop/e1"; fix: call only one of them, or move one to another port',
      ],
    ],
    ['TLS on its port', [at(9000), tls(9000)], [taking(0, 9000, 'e0.example', 'demo/shop/e1')]],
    ['HTTP on its port', [http(9000), at(9000)], [taking(1, 9000, 'e1.example', 'demo/shop/e0')]],
    ['HTTP on its port of its addresses', [http(9000), at(9000, '192.0.2.1')], []],
    ['the port of the catalog', [at(50051)], [taking(0, 50051, 'e0.example', 'services of the mesh')]],
  ])('%s', (_, hosts, messages) => {
    withProject({}, (root) => {
      const { mesh, shop, catalog, orders } = callingShop(root);
      orders.calls(catalog.method.getProduct);
      for (const [index, props] of hosts.entries()) {
        const all = { host: `e${index}.example`, ...props } as ExternalServiceProps;
        orders.callsExternal(new ExternalService(shop, `e${index}`, all));
      }
      expect(problemsOf(mesh)).toEqual(messages);
    });
  });

  /** Of each host a port and another one, of which it calls the first, or both. */
  const saidOf = (...hosts: readonly (readonly [props: object, isWhole: boolean])[]) =>
    withProject({}, (root) => {
      const { mesh, shop, orders } = callingShop(root);
      for (const [index, [{ addresses, ...port }, isWhole]] of (
        hosts as readonly (readonly [{ addresses?: readonly string[] }, boolean])[]
      ).entries()) {
        const props = {
          host: `e${index}.example`,
          ...(addresses === undefined ? {} : { addresses }),
          ports: { one: port, other: { port: 81, protocol: 'HTTP', plaintext: true } },
        } as unknown as ExternalServiceProps<'one'>;
        const external = new ExternalService(shop, `e${index}`, props);
        orders.callsExternal(isWhole ? external : external.port.one);
      }
      return problemsOf(mesh);
    });

  test('do not stand beside another single port of the same number, which a Sidecar would leave out', () => {
    const twice = (index: number, kind: string, other: string) => [
      `${where}[${index}]: is one of several ports of its host, on 9000 over ${kind}, where the workload also calls one of those of demo/shop/e0 over ${other}: a Sidecar names single ports of hosts once for each number; ` +
        `received "demo/shop/e${index}.port.one"; fix: call one of the two hosts as a whole, or move one port to another number`,
    ];
    const tcp = at(9000, '192.0.2.1');
    expect(saidOf([tcp, false], [http(9000), false])).toEqual(twice(1, 'HTTP', 'TCP'));
    expect(saidOf([http(9000), false], [tcp, false])).toEqual(twice(1, 'TCP', 'HTTP'));
    expect(saidOf([tls(9000), false], [tcp, false])).toEqual(twice(1, 'TCP', 'TLS'));
    expect(saidOf([tcp, true], [http(9000), false])).toEqual([]);
    expect(saidOf([tcp, false], [http(9000), true])).toEqual([]);
    expect(saidOf([http(9000), false], [http(9000), false])).toEqual([]);
    expect(saidOf([tcp, false], [at(9000, '192.0.2.2'), false])).toEqual([]);
  });

  test('a misspelt port is named as such', () => {
    withProject({}, (root) => {
      const { mesh, shop, orders } = callingShop(root);
      const external = new ExternalService(shop, 'bank', bank);
      const wrong = (external.port as unknown as Record<string, ExternalPort<'east' | 'west'>>)['leger'];
      expect(wrong).toBeInstanceOf(UnknownPort);
      orders.callsExternal(wrong!);
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/orders: callsExternal[0]: demo/shop/bank has no such port; received "leger"; allowed https, ledger, feed, own; fix: did you mean ledger?',
      ]);
    });
  });
});
