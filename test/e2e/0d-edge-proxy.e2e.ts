// Envoy itself with what ingress gateways are given, before another that stands for the proxy of an edge: no cluster. That the
// gateways of a mesh are given it, and what they answer, is tried by 6d-paths and 7h-attacks.
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { freePort } from '../../apps/testing/free-port.ts';
import { headOf, openRaw } from '../../apps/testing/raw.ts';
import { edgeProxy } from '../../charts/constructs/gateways/edge-proxy.ts';
import { capacityOf, overloadBootstrap } from '../../charts/constructs/gateways/overload.ts';
import { cluster, listener, startEnvoy, valueOf, type Envoy } from './calls/envoy.ts';

const minute = 60_000;
/** What istiod makes of `MERGE_SLASHES`, at every proxy. */
const normalization = { normalize_path: true, merge_slashes: true };

const agent = new Agent({ keepAlive: true, maxSockets: 16 });
let envoy: Envoy;
/** The gateway, and the same without its HTTP filter. */
let ports: { readonly gateway: number; readonly bare: number };

const says = (header: string) => [{ header: { key: header, value: '%REQ(:PATH)%' } }];
const forward = (cluster: string, header: string) => ({
  route: { cluster },
  response_headers_to_add: says(header),
});

beforeAll(async () => {
  const patches = edgeProxy({}, 300_000);
  const settings = {
    ...normalization,
    ...(valueOf(patches, 'NETWORK_FILTER')['typed_config'] as object),
  };
  const [gateway, bare, sidecar, server] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  ports = { gateway, bare };
  const config = {
    // As Istio's bootstrap has it.
    overload_manager: {
      resource_monitors: [
        {
          name: 'envoy.resource_monitors.global_downstream_max_connections',
          typed_config: {
            '@type':
              'type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig',
            max_active_downstream_connections: 1_000,
          },
        },
      ],
    },
    static_resources: {
      listeners: [
        {
          ...valueOf(patches, 'LISTENER'),
          ...listener(
            'gateway',
            gateway,
            settings,
            [valueOf(patches, 'HTTP_FILTER')],
            forward('sidecar', 'x-policy'),
          ),
        },
        listener('bare', bare, settings, [], forward('sidecar', 'x-policy')),
        listener('sidecar', sidecar, normalization, [], forward('server', 'x-sidecar')),
        listener('server', server, {}, [], {
          direct_response: { status: 200 },
          response_headers_to_add: says('x-server'),
        }),
      ],
      clusters: [cluster('sidecar', sidecar), cluster('server', server)],
    },
  };
  envoy = await startEnvoy(config, overloadBootstrap(capacityOf('512Mi')));
}, 10 * minute);

afterAll(async () => {
  agent.destroy();
  await envoy.stop();
});

const parts = [
  ...['/', '//', '\\', '\\\\', '%2f', '%2F', '%5c', '%5C', '%c0%af'],
  ...['.', '..', '...', '%2e', '%2E', '%252e', '%c0%ae', ';', ';a=b', '%3b', ',', '='],
  ...['a', 'v1', 'orders', '%61', '%41', '%7e', '~', '%2d', '%20', '%09', '%25', '2e', '%', '%2', '%zz'],
  ...[':', '%3a', '*', '|', '[', '^', '"', '<', '@', '&', '+', '!', '$', "'", '?', '%3f'],
];
const paths = fc.array(fc.constantFrom(...parts), { minLength: 1, maxLength: 8 });

interface Read {
  readonly path: string;
  readonly status: number | undefined;
  readonly policy: string;
  readonly server: string;
}

/** What the gateway and the server behind it have for the path of a request. */
async function read(port: number, path: string): Promise<Read> {
  const request = httpRequest({ host: '127.0.0.1', port, path, agent }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  const { statusCode, headers } = response;
  const [policy, server] = [String(headers['x-policy']), String(headers['x-server'])];
  return { path, status: statusCode, policy, server };
}

async function readAll(port: number, all: readonly string[]): Promise<readonly Read[]> {
  const found: Read[] = [];
  for (let at = 0; at < all.length; at += 16)
    found.push(...(await Promise.all(all.slice(at, at + 16).map((path) => read(port, path)))));
  return found;
}

const differs = ({ status, policy, server }: Read) => status === 200 && policy !== server;

test('what a policy takes for the path of a request is what the server gets, or the request is refused', async () => {
  const seed = Number(process.env['MESHWRIGHT_E2E_SEED'] ?? Date.now() % 1_000_000);
  process.stderr.write(`edge proxy: paths of seed ${seed}\n`);
  const all = fc.sample(
    paths.map((some) => `/${some.join('')}`),
    { numRuns: 4_000, seed },
  );
  const found = await readAll(ports.gateway, all);
  expect(found.filter(differs)).toEqual([]);
  expect(found.filter(({ status }) => status === 200).length).toBeGreaterThan(2_000);
}, 120_000);

test('without the filter of the gateway a server gets another path than the policy saw', async () => {
  const steps = ['/v1/files/%2e%2e;/orders', '/v1/%2e;a=b', '/v1/files/.%2E;/orders'];
  expect((await readAll(ports.bare, steps)).map(differs)).toEqual([true, true, true]);
  expect((await readAll(ports.gateway, steps)).map(({ status }) => status)).toEqual([403, 403, 403]);
});

test('a head that does not go on is refused in time, and a name with an underscore at once', async () => {
  const slow = openRaw(ports.gateway);
  slow.socket.write('GET / HTTP/1.1\r\nhost: a\r\nx-not');
  const named = openRaw(ports.gateway);
  named.socket.write(headOf('GET', '/', 'x_user: root'));
  await Promise.all([slow.ended, named.ended]);
  expect([slow.statuses(), named.statuses()]).toEqual([[408], [400]]);
});

test('the overload manager watches the heap beside the connections', async () => {
  const dump = await fetch(`${envoy.admin}/stats?filter=overload`);
  const stats = await dump.text();
  expect(stats).toContain('overload.envoy.resource_monitors.fixed_heap.pressure:');
  expect(stats).toContain('overload.envoy.overload_actions.stop_accepting_requests.active: 0');
});
