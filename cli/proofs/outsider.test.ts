import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createHttp2, type OutgoingHttpHeaders } from 'node:http2';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { TcpService } from '../../charts/constructs/tcp/tcp-service.ts';
import { MutualTls } from '../../charts/constructs/workload/mutual-tls.ts';
import { onExisting, shopOnExisting } from '../../charts/testing/existing.ts';
import { frontIn, redisImage, redisIn, type Shop } from '../../charts/testing/foreign.ts';
import { catalogIn, twoClusters } from '../../charts/testing/mesh.ts';
import { withProject } from '../../charts/testing/project.ts';
import { run } from '../../core/run.ts';
import { calleesIn, judge } from './outsider.ts';
import { outsiderProgram, type OutsiderCall } from './outsider-program.ts';

const open: Server[] = [];
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of open.splice(0)) server.close();
});

/** Its port. */
async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(server);
  return (server.address() as AddressInfo).port;
}

/** A server over gRPC that takes plaintext. */
function answering(headers: OutgoingHttpHeaders): Promise<number> {
  const server = createHttp2();
  server.on('stream', (stream) => {
    stream.respond({ ':status': 200, ...headers }, { endStream: true });
  });
  return listening(server);
}

const overHttp = (listener: RequestListener) => listening(createHttp(listener));

const overTcp = (take: (socket: Socket) => void) =>
  listening(
    createServer((socket) => {
      sockets.push(socket.on('error', () => undefined));
      take(socket);
    }),
  );

/** As a proxy that takes mutual TLS only: it looks at five bytes before it knows. */
const closing = () =>
  overTcp((socket) => {
    let got = 0;
    socket.on('data', (part) => {
      got += part.length;
      if (got >= 5) socket.destroy();
    });
  });

async function gone(): Promise<number> {
  const port = await closing();
  await new Promise((resolve) => open.pop()?.close(resolve));
  return port;
}

const denial = 'RBAC: access denied';

/** What the program says of each port. */
async function said(
  protocol: OutsiderCall['protocol'],
  ...ports: readonly Promise<number>[]
): Promise<readonly string[]> {
  const all = await Promise.all(ports);
  const calls = all.map((port): OutsiderCall => ({ protocol, host: '127.0.0.1', port }));
  const { stdout } = await run(process.execPath, ['-e', outsiderProgram, JSON.stringify(calls), '1500']);
  return stdout.trim().split('\n');
}

const refused: unknown = expect.stringMatching(/^refused (ECONNRESET|the connection was closed)$/);

describe('the pod outside tells of each call, in their order, how it ended', () => {
  test('over gRPC', async () => {
    expect(
      await said(
        'grpc',
        closing(),
        answering({ 'content-type': 'application/grpc' }),
        answering({ 'grpc-status': '7', 'grpc-message': denial }),
        answering({ 'grpc-status': '7', 'grpc-message': 'not for you' }),
        overHttp((_, response) => response.end()),
        gone(),
      ),
    ).toEqual([
      refused,
      'answered HTTP 200',
      `denied ${denial}`,
      'answered HTTP 200',
      'answered with something else',
      'unconnected ECONNREFUSED',
    ]);
  });

  test('over HTTP', async () => {
    expect(
      await said(
        'http',
        closing(),
        overHttp((_, response) => response.end('hello')),
        overHttp((_, response) => response.writeHead(403).end(denial)),
        overHttp((_, response) => response.writeHead(403).end('not for you')),
        overHttp((_, response) => {
          response.writeHead(200).flushHeaders();
        }),
        overTcp((socket) => socket.end('220 ready\r\n')),
        gone(),
      ),
    ).toEqual([
      refused,
      'answered HTTP 200',
      `denied ${denial}`,
      'answered HTTP 403',
      'answered HTTP 200',
      'answered with something else',
      'unconnected ECONNREFUSED',
    ]);
  });

  test('over TCP, also where the server waits for the rest, or says something at once', async () => {
    expect(
      await said(
        'tcp',
        closing(),
        overTcp((socket) => socket.on('data', () => socket.end('-ERR'))),
        overTcp((socket) => socket.write('220 ready\r\n')),
        overTcp((socket) => socket.resume()),
        gone(),
      ),
    ).toEqual([
      refused,
      'answered with something else',
      'answered with something else',
      'open for 1.5 s',
      'unconnected ECONNREFUSED',
    ]);
  });
});

/** A mesh in two namespaces, with what is declared of mutual TLS. */
const callees = (declare: (shop: ReturnType<typeof shopOnExisting>) => void, cluster = 'east') =>
  withProject({}, (root) => {
    const mesh = onExisting(root);
    declare(shopOnExisting(mesh));
    return calleesIn(mesh.model(), cluster);
  });
const listed = (all: ReturnType<typeof calleesIn>) =>
  all.map(({ workload: { namespace, name }, protocol, port, plaintext }) =>
    [namespace, name, protocol, port, ...(plaintext ? ['plaintext'] : [])].join(' '),
  );
const namesOf = (...given: Parameters<typeof callees>) => listed(callees(...given));

describe('the call in plaintext is tried in every namespace, at each kind of port', () => {
  test('of a workload that runs in the cluster', () => {
    expect(namesOf(() => undefined)).toEqual([
      'shop catalog grpc 50051',
      'shop catalog http 8081',
      'team-a inventory grpc 50051',
    ]);
  });

  test('of one that takes mutual TLS only, where there is one', () => {
    const declare = ({ inventory }: ReturnType<typeof shopOnExisting>) =>
      new MutualTls(inventory, 'tls', { mode: 'STRICT', ports: { grpc: 'PERMISSIVE' } });
    expect(namesOf(declare).at(-1)).toBe('team-a orders grpc 50052');
    expect(namesOf(declare, 'west').at(-1)).toBe('team-a inventory grpc 50051 plaintext');
  });

  test('what a workload says of its mutual TLS stands before what its namespace says', () => {
    expect(
      namesOf(({ team, orders }) => {
        new MutualTls(team, 'tls', { mode: 'PERMISSIVE' });
        new MutualTls(orders, 'tls', { mode: 'STRICT' });
      }).at(-1),
    ).toBe('team-a orders grpc 50052');
  });

  const others = (declare: (shop: Shop) => void) =>
    withProject({}, (root) => {
      const mesh = twoClusters(root);
      declare(mesh.namespace('shop'));
      return listed(calleesIn(mesh.model(), 'east'));
    });

  test('of services over HTTP and TCP as well, and of those that are stateful apart', () => {
    expect(
      others((shop) => {
        frontIn(shop, { servicePort: 80 });
        redisIn(shop);
        const said = { image: redisImage, ports: { sql: { port: 5432, servicePort: 5433 } } };
        new TcpService(shop, 'ledger', { ...said, stateful: {} });
      }),
    ).toEqual(['shop front http 80', 'shop redis tcp 6379', 'shop ledger tcp 5433']);
  });

  test('of a port that takes mutual TLS only, where a service has others that do not', () => {
    expect(
      others((shop) => {
        const ports = { redis: 6379, metrics: { port: 9121, servicePort: 9000 } };
        const redis = new TcpService(shop, 'redis', { image: redisImage, ports });
        new MutualTls(redis, 'tls', { mode: 'STRICT', ports: { redis: 'PERMISSIVE' } });
        new MutualTls(frontIn(shop), 'tls', { mode: 'PERMISSIVE' });
        new TcpService(shop, 'away', { image: redisImage, ports: { one: 6379 }, replicas: 0 });
      }),
    ).toEqual(['shop redis tcp 9000', 'shop front http 8080 plaintext']);
  });
});

const where = 'a pod outside the mesh in east';
const fixOf = (namespace: string) =>
  `fix: look at the PeerAuthentication of the mesh (dist/*/*/30-mesh.k8s.yaml), and whether pods of namespace ${namespace} have a proxy`;

describe('what is seen of a call in plaintext', () => {
  const all = withProject({}, (root) => {
    const mesh = twoClusters(root);
    catalogIn(mesh.namespace('shop'));
    const data = mesh.namespace('data');
    redisIn(data);
    new MutualTls(frontIn(data), 'tls', { mode: 'PERMISSIVE' });
    return calleesIn(mesh.model(), 'east');
  });
  const [catalog, gateway, redis, front] = [
    'http://catalog.shop.svc.cluster.local:50051',
    'http://catalog.shop.svc.cluster.local:8081',
    'tcp://redis.data.svc.cluster.local:6379',
    'http://front.data.svc.cluster.local:8080',
  ];

  test('is right where each is refused, and of what takes plaintext where its proxy denies it', () => {
    const printed = 'refused ECONNRESET\nrefused the connection was closed\nrefused ECONNRESET\n';
    expect(judge(all, 'east', `${printed}denied ${denial}\n`)).toBe(
      `connected to ${catalog}, then: ECONNRESET; connected to ${gateway}, then: the connection was closed; ` +
        `connected to ${redis}, then: ECONNRESET; connected to ${front}, then: ${denial}`,
    );
    expect(() => judge(all, 'east', `${printed}answered HTTP 200\n`)).toThrow(
      `${where}: got an answer from ${front} in plaintext; received "answered HTTP 200"; allowed refused, or denied by its proxy; ${fixOf('data')}`,
    );
  });

  const problem = (namespace: string, received: string, what: string) =>
    `${where}: ${what}; received "${received}"; allowed refused after the connection was made; ${fixOf(namespace)}`;
  const answered = (url: string) => `got an answer from ${url} in plaintext`;
  const away = (url: string) => `could not make its call to ${url}`;

  test.each<[string, ...(readonly string[])]>([
    ['answered HTTP 200', problem('shop', 'answered HTTP 200', answered(catalog))],
    [`denied ${denial}`, problem('shop', `denied ${denial}`, answered(catalog))],
    [
      'answered HTTP 404\nanswered HTTP 404\nanswered with something else',
      problem('shop', 'answered HTTP 404', answered(catalog)),
      problem('shop', 'answered HTTP 404', answered(gateway)),
      problem('data', 'answered with something else', answered(redis)),
    ],
    [
      'refused ECONNRESET\nrefused ECONNRESET\nopen for 10 s',
      problem('data', 'open for 10 s', `was let in at ${redis} in plaintext: what it sent was taken`),
    ],
    [
      'unconnected ENOTFOUND\nsilent no answer within 10 s',
      problem('shop', 'unconnected ENOTFOUND', away(catalog)),
      problem('shop', 'silent no answer within 10 s', away(gateway)),
    ],
  ])('is wrong for each port that gave an answer, or was not reached: %j', (printed, ...problems) => {
    const lines = printed.split('\n');
    const rest = Array.from({ length: 4 - lines.length }, () => 'refused ECONNRESET');
    let message = '';
    try {
      judge(all, 'east', [...lines, ...rest].join('\n'));
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toBe(problems.join('\n'));
  });

  test('is wrong where it did not say of each', () => {
    expect(() => judge(all, 'east', 'refused ECONNRESET')).toThrow(
      `${where}: did not say how its calls ended; received "refused ECONNRESET"`,
    );
  });
});
