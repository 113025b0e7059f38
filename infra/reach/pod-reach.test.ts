import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { addGateway, cutOff } from '../testing/gateway.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { modelOf } from '../testing/models.ts';
import { problemOf } from '../testing/problems.ts';
import { awaitOthers } from './other-clusters.ts';

const names = ['east', 'west', 'north'] as const;
let apis: Readonly<Record<(typeof names)[number], KubeApi>>;
let lines: string[];
let tried: string[];
beforeAll(async () => {
  const [east, west, north] = await Promise.all(names.map((name) => KubeApi.start(name)));
  apis = { east: east!, west: west!, north: north! };
});
afterAll(() => Promise.all(Object.values(apis).map((api) => api.stop())));

const { ingress, eastWest } = modelOf(names);
/** Its pod of the ingress gateway. */
const podOf = (podIP: string | undefined, ready = 'True') => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'istio-ingressgateway-1',
    namespace: ingress.namespace,
    labels: { istio: 'ingressgateway' },
  },
  status: { ...(podIP === undefined ? {} : { podIP }), conditions: [{ type: 'Ready', status: ready }] },
});
const addresses = { east: '10.10.0.5', west: '10.20.0.5', north: 'fd00::5' };

beforeEach(() => {
  lines = [];
  tried = [];
  for (const name of names) {
    const api = apis[name];
    api.objects.clear();
    const metadata = { name: ingress.name, namespace: ingress.namespace };
    api.put({ apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: { istio: 'ingressgateway' } } });
    api.put(podOf(addresses[name]));
    addGateway(api, [{ ip: '192.0.2.2' }]);
  }
  answer(() => undefined);
});

/** What east's gateways are told of a URL by Go's net/http; undefined is an answer with 200. */
function answer(error: (url: string) => string | undefined): void {
  apis.east.run = (_, command) => {
    const url = command[command.indexOf('--url') + 1] ?? '';
    tried.push(url);
    const said = url.startsWith('https:') ? cutOff : error(url);
    return said === undefined
      ? { stdout: 'Envoy is ready!\n' }
      : { stderr: `Error: timeout. Last error: Get "${url}": ${said}\n`, exitCode: 255 };
  };
}
const flat = { east: 'vpc', west: 'vpc', north: 'vpc' };
const reach = (networks: Readonly<Record<string, string>> = flat, declaredGateway = 0) =>
  awaitOthers(
    { networks, ingress, ...(new Set(Object.values(networks)).size > 1 && { eastWest }) },
    apis.east.client,
    [apis.west.client, apis.north.client],
    { report: (line) => lines.push(line), limits: { declaredGateway, loadBalancer: 0 } },
  );
const west = 'from east to west, both on network vpc: pods: not reached from inside east within 0 s: ';

test('on one network the pods of each other cluster are tried, and no gateway', async () => {
  await reach();
  expect(tried.toSorted()).toEqual([
    'http://10.20.0.5:15021/healthz/ready',
    'http://[fd00::5]:15021/healthz/ready',
  ]);
  expect(lines).toEqual([]);
});

test('clusters of the same network are tried by their pods, those of others by their gateways', async () => {
  await reach({ ...flat, north: 'elsewhere' });
  expect(tried.toSorted()).toEqual(['http://10.20.0.5:15021/healthz/ready', 'https://192.0.2.2:15443']);
});

test('pods are waited for, which is said once', async () => {
  let looks = 0;
  answer((url) =>
    url.includes('10.20') && ++looks < 3 ? 'dial tcp 10.20.0.5:15021: i/o timeout' : undefined,
  );
  await reach(flat, 60_000);
  expect(looks).toBe(3);
  expect(lines).toEqual(['east: pods of west reached: waiting, no answer within 3 s']);
});

const fix =
  'fix: let pods of the two clusters connect to each other by their own addresses (routes, firewalls), ' +
  'or declare networks of other names: between those, calls pass through east-west gateways; then run the command again';

test.each([
  ['dial tcp 10.20.0.5:15021: i/o timeout', 'no answer within 3 s'],
  ['dial tcp 10.20.0.5:15021: connect: no route to host', 'no route to host'],
  ['dial tcp 10.20.0.5:15021: connect: connection refused', 'connection refused'],
  ...[
    'EOF',
    'unexpected EOF',
    'read tcp 10.10.0.5:40000->10.20.0.5:15021: read: connection reset by peer',
  ].map((error) => [error, `the connection was accepted, and closed without an answer (${error})`] as const),
  ['HTTP status code 503', "the server at this address is not a gateway's proxy (HTTP status code 503)"],
] as const)('a network that is not flat is told of, with how it failed: %s', async (error, because) => {
  answer((url) => (url.includes('10.20') ? error : undefined));
  expect(await problemOf(reach())).toEqual({
    exitCode: 1,
    message: `${west}${because}; received "10.20.0.5:15021"; ${fix}`,
  });
});

test('all clusters that are not reached are told of at once', async () => {
  answer((url) => `dial tcp ${url}: i/o timeout`);
  const { message } = await problemOf(reach());
  expect(message.split('\n').map((line) => line.split(',')[0])).toEqual([
    'from east to west',
    'from east to north',
  ]);
});

test('pods that are not there to try, or to be tried, are told of', async () => {
  const untried =
    'fix: check that the ingress gateways of both have a ready pod, and that you may run commands in it (pods/exec); then run the command again';
  apis.west.put(podOf(undefined));
  expect((await problemOf(reach())).message).toBe(
    `${west}the ingress gateway of west has no ready pod; ${untried}`,
  );
  apis.east.put(podOf('10.10.0.5', 'False'));
  expect((await problemOf(reach({ ...flat, north: 'elsewhere' }))).message).toBe(
    `${west}the ingress gateway of east has no ready pod; ${untried}`,
  );
});

describe('pods of two clusters that have the same addresses', () => {
  const pod = (name: string, podIP: string, rest: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop' },
    spec: { nodeName: 'n1', ...rest },
    status: { podIP, phase: 'Running' },
  });
  const node = (...podCIDRs: readonly string[]) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n1' },
    spec: { podCIDRs },
  });
  const refused = (received: string, one = 'east', other = 'west') => ({
    exitCode: 1,
    message: `${one} and ${other}, both on network vpc: pods: have addresses of the same range: calls between the clusters would get to pods of the wrong one; received "${received}"; allowed ranges that do not overlap; fix: give one of the clusters another pod network, or declare networks of other names: between those, calls pass through east-west gateways; then run the command again`,
  });

  test('are refused, as a trial cannot tell them apart', async () => {
    apis.east.put(pod('orders-1', '10.20.0.5'));
    expect(await problemOf(reach())).toEqual(
      refused(
        '10.20.0.5 of Pod shop/orders-1 in east and of Pod istio-ingress/istio-ingressgateway-1 in west',
      ),
    );
    expect(tried.filter((url) => url.includes('10.20'))).toEqual([]);
  });

  test.each([
    ['10.244.1.0/24', '10.244.0.0/16', '10.244.1.7', '10.244.9.9'],
    ['10.244.0.0/16', '10.244.1.0/24', '10.244.200.7', '10.244.1.9'],
    ['fd00:10:244::/56', 'fd00:10:244:0:1::/80', 'fd00:10:244::7', 'fd00:10:244:0:1::9'],
  ])('are refused where they only may have them: nodes with %s and %s', async (one, other, here, there) => {
    apis.east.put(node('192.168.0.0/24', one));
    apis.west.put(node(other));
    apis.east.put(pod('orders-1', here));
    apis.west.put(pod('orders-1', there));
    expect(await problemOf(reach())).toEqual(
      refused(`${one} of node n1 in east and ${other} of node n1 in west`),
    );
  });

  test('are right in ranges of nodes that their network does not go by', async () => {
    for (const name of ['east', 'west'] as const) apis[name].put(node('10.244.0.0/24'));
    apis.east.put(pod('orders-1', '172.20.0.1'));
    apis.west.put(pod('orders-1', '172.21.0.1'));
    await reach();
  });

  test('are right where they are those of nodes, or of pods that have ended', async () => {
    apis.east.put(pod('agent', '10.20.0.5', { hostNetwork: true }));
    apis.east.put({ ...pod('done', '10.20.0.5'), status: { podIP: '10.20.0.5', phase: 'Succeeded' } });
    await reach();
  });

  test('are right between clusters of different networks', async () => {
    apis.east.put(pod('orders-1', '10.20.0.5'));
    await reach({ ...flat, west: 'elsewhere' });
  });
});
