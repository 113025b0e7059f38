import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { GatewayModel } from '../../charts/model/mesh-model.ts';
import { awaitGateways } from './gateway-reach.ts';
import { addGateway, cutOff, gatewayPod, tryFrom } from '../testing/gateway.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { modelOf } from '../testing/models.ts';
import { problemOf } from '../testing/problems.ts';

const names = ['east', 'west', 'north'] as const;
let apis: Readonly<Record<(typeof names)[number], KubeApi>>;
let lines: string[];
let tried: string[];
beforeAll(async () => {
  const [east, west, north] = await Promise.all([
    KubeApi.start('east'),
    KubeApi.start('west'),
    KubeApi.start('north'),
  ]);
  apis = { east, west, north };
});
afterAll(() => Promise.all(Object.values(apis).map((api) => api.stop())));
beforeEach(() => {
  lines = [];
  tried = [];
  for (const api of Object.values(apis)) api.objects.clear();
  addGateway(apis.east, [{ ip: '192.0.2.1' }]);
  addGateway(apis.west, [{ ip: '192.0.2.2' }, { hostname: 'lb.west.example' }]);
  addGateway(apis.north, [{ ip: '2001:db8::3' }]);
  answer(() => cutOff);
});

/** What east's gateway pod is told of a URL by Go's net/http; undefined is an answer with 200. */
function answer(error: (url: string) => string | undefined): void {
  apis.east.run = tryFrom((url) => {
    tried.push(url);
    return error(url);
  });
}
const byLoadBalancer = modelOf(names).eastWest;
const onNodePorts: GatewayModel = {
  ...byLoadBalancer,
  given: { west: { addresses: ['192.0.2.20', 'nodes.west.example'], port: 31443 } },
};
const limits = { declaredGateway: 0, loadBalancer: 0 };
const reach = (gateway = byLoadBalancer, waits = limits) =>
  awaitGateways({
    gateway,
    from: apis.east.client,
    others: [apis.west.client, apis.north.client],
    report: (line) => lines.push(line),
    limits: waits,
  });
const at = (address: string, error: string) => (url: string) =>
  url === `https://${address}` ? error : cutOff;

describe('awaitGateways', () => {
  test('tries every address of every other cluster, and is quiet when all are reached', async () => {
    await reach();
    expect(tried.toSorted()).toEqual([
      'https://192.0.2.2:15443',
      'https://[2001:db8::3]:15443',
      'https://lb.west.example:15443',
    ]);
    expect(lines).toEqual([]);
  });

  test('tries declared addresses in place of a status', async () => {
    await reach(onNodePorts);
    expect(tried.toSorted()).toEqual([
      'https://192.0.2.20:31443',
      'https://[2001:db8::3]:15443',
      'https://nodes.west.example:31443',
    ]);
  });

  test('waits for an address that is not reached yet, and says so once', async () => {
    let looks = 0;
    answer((url) =>
      url.includes('192.0.2.2') && ++looks < 3
        ? 'dial tcp 192.0.2.2:15443: connect: connection refused'
        : cutOff,
    );
    await reach(byLoadBalancer, { ...limits, loadBalancer: 60_000 });
    expect(looks).toBe(3);
    expect(lines).toEqual([
      'east: east-west gateway of west at 192.0.2.2:15443 reached: waiting, connection refused',
    ]);
  });
});

describe('says from where an address is not reached, how that failed, and what to do', () => {
  const west = 'from east to west: east-west gateway: not reached from inside east within 0 s: ';
  const again = 'then run the command again';

  test.each([
    [
      'nobody listens at a declared address',
      'dial tcp 192.0.2.20:31443: connect: connection refused',
      'connection refused; received "192.0.2.20:31443"; fix: declare in clusters.west.gateways.eastWest a node of west and the port at which it is reached',
    ],
    [
      'a firewall drops what is sent',
      'context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
      'no answer within 3 s; received "192.0.2.20:31443"; fix: let the pods of east connect to 192.0.2.20:31443 over TCP (firewalls, routes), or declare in clusters.west.gateways.eastWest a node of west and the port at which it is reached',
    ],
    [
      'no such machine',
      'dial tcp 192.0.2.20:31443: connect: no route to host',
      'no route to host; received "192.0.2.20:31443"; fix: let the pods of east connect to 192.0.2.20:31443 over TCP (firewalls, routes), or declare in clusters.west.gateways.eastWest a node of west and the port at which it is reached',
    ],
    [
      'somebody else listens there',
      'tls: failed to verify certificate: x509: certificate signed by unknown authority',
      'the server at this address is not an east-west gateway (tls: failed to verify certificate: x509: certificate signed by unknown authority); received "192.0.2.20:31443"; fix: declare in clusters.west.gateways.eastWest a node of west and the port at which it is reached',
    ],
  ])('%s', async (_, error, rest) => {
    answer(at('192.0.2.20:31443', error));
    expect(await problemOf(reach(onNodePorts))).toEqual({
      exitCode: 1,
      message: `${west}${rest}, ${again}`,
    });
  });

  test('a host name that is not known inside the cluster', async () => {
    const error = 'lookup lb.west.example on 10.11.0.10:53: no such host';
    answer(at('lb.west.example:15443', `dial tcp: ${error}`));
    expect((await problemOf(reach())).message).toBe(
      `${west}${error}; received "lb.west.example:15443"; fix: let the DNS of east resolve the host name, ${again}`,
    );
  });

  test('a load balancer that sends connections nowhere, a web server, and a silent one: all at once', async () => {
    answer((url) => {
      if (url.includes('192.0.2.2')) return 'dial tcp 192.0.2.2:15443: connect: connection refused';
      return url.includes('lb.west') ? undefined : 'dial tcp [2001:db8::3]:15443: i/o timeout';
    });
    const where = (to: string) =>
      `check where the load balancer of Service istio-eastwest/istio-eastwestgateway in ${to} sends its connections`;
    expect((await problemOf(reach())).message.split('\n')).toEqual([
      `${west}connection refused; received "192.0.2.2:15443"; fix: ${where('west')}, ${again}`,
      `${west}a web server answers there; received "lb.west.example:15443"; fix: ${where('west')}, ${again}`,
      `from east to north: east-west gateway: not reached from inside east within 0 s: no answer within 3 s; received "[2001:db8::3]:15443"; fix: let the pods of east connect to [2001:db8::3]:15443 over TCP (firewalls, routes, sources of the load balancer), or ${where('north')}, ${again}`,
    ]);
  });

  test('a Service that has no address', async () => {
    addGateway(apis.west, []);
    expect((await problemOf(reach())).message).toBe(
      `from east to west: east-west gateway: has no address: the status of west's Service istio-eastwest/istio-eastwestgateway contains none; fix: check the events of that Service for what its load balancer waits for, ${again}`,
    );
  });

  test('no pod to try it from, and one that may not be looked into', async () => {
    const see =
      'check that the east-west gateway of east has a ready pod, and that you may run commands in it (pods/exec)';
    apis.east.put({ ...gatewayPod, status: { conditions: [{ type: 'Ready', status: 'False' }] } });
    const { message } = await problemOf(reach(onNodePorts));
    expect(message.split('\n')[0]).toBe(
      `${west}its own east-west gateway has no ready pod to try it from; received "192.0.2.20:31443"; fix: ${see}, ${again}`,
    );
    apis.east.put(gatewayPod);
    apis.east.run = () => undefined;
    const refused = await problemOf(reach(onNodePorts));
    expect(refused.message.split('\n')[0]).toBe(
      `${west}the connection cannot be tried: \`pilot-agent wait --url https://192.0.2.20:31443 --timeoutSeconds 1 --periodMillis 600 --requestTimeoutMillis 3000\`: the API server refused it; received "192.0.2.20:31443"; fix: ${see}, ${again}`,
    );
  });
});
