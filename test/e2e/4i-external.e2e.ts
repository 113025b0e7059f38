// Hosts outside the mesh: TLS that callers' proxies begin, TCP, and who may call which port.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ExternalService, GrpcService } from '../../charts/index.ts';
import { waitFor } from '../../core/wait.ts';
import { makeAuthority, type Authority } from './calls/authority.ts';
import { askBank, bankPorts, removeBank, startBank } from './calls/bank.ts';
import type { Caller } from './calls/call.ts';
import { answered, converse } from './calls/tcp.ts';
import { apps, labMesh } from './checkout/lab-mesh.ts';
import { ensureLab, kubectl } from './checkout/lab.ts';
import { applyVariant } from './checkout/variant.ts';
import { everything } from './everything.ts';

const minute = 60_000;
const cluster = 'west';
jest.setTimeout(5 * minute);

/** Ports that callers connect to. */
const ports = {
  https: 7080,
  stranger: 7081,
  misnamed: 7082,
  unknown: 7083,
  ledger: 7000,
  anonymous: 7010,
  feed: 7001,
};

/** `orders` may call all ports of the bank, `inventory` one that has no TLS, `catalog` nothing. */
function declare(address: string) {
  const mesh = labMesh();
  const shop = mesh.namespace('shop');
  const ca = { secret: 'e2e-bank-ca' };
  const client = { secret: 'e2e-bank-client' };
  const http = { protocol: 'HTTP', tls: { ca } } as const;
  const ledger = {
    ...{ targetPort: bankPorts.ledger, protocol: 'TCP' as const },
    serverName: 'ledger.bank.example',
  };
  const { serverName, ...overTcp } = ledger;
  const bank = new ExternalService(shop, 'bank', {
    host: 'bank.example',
    addresses: [address],
    ports: {
      https: { ...http, port: ports.https, targetPort: bankPorts.https },
      stranger: { ...http, port: ports.stranger, targetPort: bankPorts.stranger },
      misnamed: { ...http, port: ports.misnamed, targetPort: bankPorts.misnamed },
      unknown: { protocol: 'HTTP', tls: {}, port: ports.unknown, targetPort: bankPorts.https },
      ledger: { ...overTcp, port: ports.ledger, tls: { serverName, ca, client } },
      anonymous: { ...overTcp, port: ports.anonymous, tls: { serverName, ca } },
      feed: { protocol: 'TCP', port: ports.feed, plaintext: true },
    },
  });
  const at = { placement: [cluster] } as const;
  const catalog = new GrpcService(shop, 'catalog', { ...apps.catalog, ...at });
  const inventory = new GrpcService(shop, 'inventory', { ...apps.inventory, ...at });
  const orders = new GrpcService(shop, 'orders', { ...apps.orders, ...at });
  // The app's variables name both.
  orders.calls(catalog.method.getProduct, inventory.method.reserve);
  orders.callsExternal(bank);
  inventory.callsExternal(bank.port.feed);
  return mesh;
}

let address: string;
let stranger: Authority;

function putSecret(name: string, data: Readonly<Record<string, string>>, type = 'Opaque'): void {
  const secret = { apiVersion: 'v1', kind: 'Secret', type, metadata: { name }, stringData: data };
  kubectl(cluster, '-n', 'shop', 'apply', '-f', '-', { input: JSON.stringify(secret) });
}

beforeAll(async () => {
  await ensureLab();
  const known = await makeAuthority();
  stranger = await makeAuthority('a stranger');
  // Any image that the nodes have and that holds Node: nothing of another suite's mesh need run.
  const { images } = declare('192.0.2.1').model();
  address = await startBank(cluster, images[0]!.reference, known, stranger);
  const client = await known.issue('orders.shop.example');
  putSecret('e2e-bank-ca', { 'ca.crt': known.ca });
  putSecret('e2e-bank-client', { 'tls.crt': client.cert, 'tls.key': client.key }, 'kubernetes.io/tls');
  await applyVariant(declare(address));
}, 60 * minute);

afterAll(() => {
  removeBank(cluster);
  for (const name of ['e2e-bank-ca', 'e2e-bank-client'])
    kubectl(cluster, '-n', 'shop', 'delete', `secret/${name}`, '--ignore-not-found');
});

const at = (app: 'catalog' | 'inventory' | 'orders'): Caller => ({
  ...{ cluster, namespace: 'shop', target: `deployment/${app}`, container: app },
});
const line = (port: number, until: string) => ({ host: address, port, say: 'a line\n', until });
const closed = [{ outcome: 'closed', received: '' }];

/** Awaits that the bank answers orders on a port, by HTTP that its proxy encrypts. */
const eventually = (port: number) =>
  waitFor({ what: `orders gets an answer of port ${port}`, timeoutMs: 2 * minute }, () => {
    const answer = askBank(at('orders'), address, port);
    return answer.status === 200
      ? { done: true, value: JSON.parse(answer.body) as unknown }
      : { done: false, because: `${answer.status}: ${answer.body}` };
  });

describe('a caller with the grant of all ports', () => {
  test('speaks HTTP, which its proxy encrypts to the server it means', async () => {
    expect(await eventually(ports.https)).toEqual({
      sni: 'bank.example',
      host: `bank.example:${ports.https}`,
    });
  });

  test('speaks TCP, in which its proxy shows a certificate of its own', async () => {
    const conversation = line(ports.ledger, '}');
    const [received] = await answered('the ledger', at('orders'), conversation, undefined, 1);
    const client = 'orders.shop.example';
    expect(JSON.parse(received ?? '')).toEqual({ sni: 'ledger.bank.example', client });
  });

  test('is refused by that server where its proxy shows none', () => {
    expect(converse(at('orders'), line(ports.anonymous, '}'))).toEqual(closed);
  });

  test('is greeted by a server over TCP without TLS', async () => {
    const conversation = { ...line(ports.feed, 'heard a line'), serverFirst: true };
    expect(await answered('the feed', at('orders'), conversation, undefined, 1)).toEqual([
      'welcome\nheard a line\n',
    ]);
  });

  test.each(['stranger', 'misnamed', 'unknown'] as const)(
    'gets no answer of a server that is not who it should be: %s',
    (port) => {
      // By another authority; for another name; by an authority that is none of the public ones.
      const { status, body } = askBank(at('orders'), address, ports[port]);
      expect({ status, body }).toMatchObject({ status: 503 });
      expect(body).toMatch(/TLS|CERTIFICATE|upstream connect error/);
    },
  );

  test('and its app has none of the keys', () => {
    const exec = ['-n', 'shop', 'exec', 'deployment/orders', '-c', 'orders', '--', '/usr/bin/node', '-e'];
    const print = 'console.log(require("node:fs").existsSync("/etc/external-tls"))';
    expect(kubectl(cluster, ...exec, print).trim()).toBe('false');
  });
});

describe('a caller with the grant of one port', () => {
  test('gets to it', async () => {
    const conversation = { ...line(ports.feed, 'heard a line'), serverFirst: true };
    expect(await answered('the feed', at('inventory'), conversation, undefined, 1)).toHaveLength(1);
  });

  test.each([ports.https, ports.ledger, ports.anonymous])('and to no other one: %d', (port) => {
    expect(converse(at('inventory'), line(port, '}'))).toEqual(closed);
  });

  test('nor past its listener, to what the server really listens on', () => {
    expect(converse(at('inventory'), line(bankPorts.https, '}'))).toEqual(closed);
  });
});

test.each(Object.values(ports))('a workload without a grant gets to nothing: %d', (port) => {
  expect(converse(at('catalog'), line(port, 'e'))).toEqual(closed);
});

// The kubelet looks after Secrets once a minute or so.
const long = everything ? test : test.skip;

long('another authority in the Secret is the one that counts, without a restart', async () => {
  putSecret('e2e-bank-ca', { 'ca.crt': stranger.ca });
  await eventually(ports.stranger);
  expect(askBank(at('orders'), address, ports.https)).toMatchObject({ status: 503 });
});
