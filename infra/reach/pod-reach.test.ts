import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
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
])('a network that is not flat is told of, with how it failed: %s', async (error, because) => {
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
