import { createServer as createHttp2, type OutgoingHttpHeaders } from 'node:http2';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { MutualTls } from '../../charts/constructs/workload/mutual-tls.ts';
import { onExisting, shopOnExisting } from '../../charts/testing/existing.ts';
import { withProject } from '../../charts/testing/project.ts';
import { run } from '../../core/run.ts';
import { calleesIn, judge } from './outsider.ts';
import { outsiderProgram } from './outsider-program.ts';

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that takes plaintext. */
function answering(headers: OutgoingHttpHeaders): Promise<string> {
  const server = createHttp2();
  server.on('stream', (stream) => {
    stream.respond({ ':status': 200, ...headers }, { endStream: true });
  });
  return listening(server);
}

/** As a proxy that takes mutual TLS only. */
const closing = () =>
  listening(createServer((socket) => socket.on('data', () => socket.destroy()).on('error', () => undefined)));

async function said(...urls: readonly string[]): Promise<readonly string[]> {
  return (await run(process.execPath, ['-e', outsiderProgram, ...urls])).stdout.trim().split('\n');
}

test('the pod outside tells of each call, in their order, how it ended', async () => {
  const gone = await closing();
  await new Promise((resolve) => open.pop()?.close(resolve));
  const denial = { 'grpc-status': '7', 'grpc-message': 'RBAC: access denied' };
  const urls = await Promise.all([
    closing(),
    answering({ 'content-type': 'application/grpc' }),
    answering(denial),
    answering({ 'grpc-status': '7', 'grpc-message': 'not for you' }),
  ]);
  expect(await said(...urls, gone)).toEqual([
    expect.stringMatching(/^refused (ECONNRESET|the connection was closed)$/),
    'answered HTTP 200',
    'denied RBAC: access denied',
    'answered HTTP 200',
    'unconnected ECONNREFUSED',
  ]);
});

/** A mesh in two namespaces, with what is declared of mutual TLS. */
const callees = (declare: (shop: ReturnType<typeof shopOnExisting>) => void, cluster = 'east') =>
  withProject({}, (root) => {
    const mesh = onExisting(root);
    declare(shopOnExisting(mesh));
    return calleesIn(mesh.model(), cluster);
  });
const namesOf = (...given: Parameters<typeof callees>) =>
  callees(...given).map(({ namespace, name, plaintext }) => [namespace, name, plaintext ?? false]);

describe('the call in plaintext is tried in every namespace', () => {
  test('of a workload that runs in the cluster', () => {
    expect(namesOf(() => undefined)).toEqual([
      ['shop', 'catalog', false],
      ['team-a', 'inventory', false],
    ]);
  });

  test('of one that takes mutual TLS only, where there is one', () => {
    const declare = ({ inventory }: ReturnType<typeof shopOnExisting>) =>
      new MutualTls(inventory, 'tls', { mode: 'STRICT', ports: { grpc: 'PERMISSIVE' } });
    expect(namesOf(declare)).toEqual([
      ['shop', 'catalog', false],
      ['team-a', 'orders', false],
    ]);
    expect(namesOf(declare, 'west')).toEqual([
      ['shop', 'catalog', false],
      ['team-a', 'inventory', true],
    ]);
  });

  test('what a workload says of its mutual TLS stands before what its namespace says', () => {
    expect(
      namesOf(({ team, orders }) => {
        new MutualTls(team, 'tls', { mode: 'PERMISSIVE' });
        new MutualTls(orders, 'tls', { mode: 'STRICT' });
      }),
    ).toEqual([
      ['shop', 'catalog', false],
      ['team-a', 'orders', false],
    ]);
  });
});

const where = 'a pod outside the mesh in east';
const fixOf = (namespace: string) =>
  `fix: look at the PeerAuthentication of the mesh (dist/*/*/30-mesh.k8s.yaml), and whether pods of namespace ${namespace} have a proxy`;

describe('what is seen of a call in plaintext', () => {
  test('is right where each is refused, and of what takes plaintext where its proxy denies it', () => {
    const all = callees(({ team }) => new MutualTls(team, 'tls', { mode: 'PERMISSIVE' }));
    expect(judge(all, 'east', 'refused ECONNRESET\ndenied RBAC: access denied\n')).toBe(
      'connected to http://catalog.shop.svc.cluster.local:50051, then: ECONNRESET; connected to http://inventory.team-a.svc.cluster.local:50051, then: RBAC: access denied',
    );
    expect(() => judge(all, 'east', 'refused ECONNRESET\nanswered HTTP 200\n')).toThrow(
      `${where}: got an answer from http://inventory.team-a.svc.cluster.local:50051 in plaintext; received "answered HTTP 200"; allowed refused, or denied by its proxy; ${fixOf('team-a')}`,
    );
  });

  test('is wrong for each workload that gave an answer, or was not reached, whichever comes first', () => {
    const all = callees(() => undefined);
    const problem = (
      url: string,
      received: string,
      namespace: string,
      what = `got an answer from ${url} in plaintext`,
    ) =>
      `${where}: ${what}; received "${received}"; allowed refused after the connection was made; ${fixOf(namespace)}`;
    const [catalog, inventory] = [
      'http://catalog.shop.svc.cluster.local:50051',
      'http://inventory.team-a.svc.cluster.local:50051',
    ];
    for (const [printed, ...problems] of [
      ['refused ECONNRESET\nanswered HTTP 200', problem(inventory, 'answered HTTP 200', 'team-a')],
      [
        'denied RBAC: access denied\nrefused ECONNRESET',
        problem(catalog, 'denied RBAC: access denied', 'shop'),
      ],
      [
        'answered HTTP 404\nunconnected ENOTFOUND',
        problem(catalog, 'answered HTTP 404', 'shop'),
        problem(inventory, 'unconnected ENOTFOUND', 'team-a', `could not make its call to ${inventory}`),
      ],
    ] as const) {
      let message = '';
      try {
        judge(all, 'east', printed);
      } catch (error) {
        message = (error as Error).message;
      }
      expect(message).toBe(problems.join('\n'));
    }
    expect(() => judge(all, 'east', 'refused ECONNRESET')).toThrow(
      `${where}: did not say how its calls ended; received "refused ECONNRESET"`,
    );
  });
});
