import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { lookup } from 'node:dns/promises';
import { HttpEdge, type Gateways, type Mesh } from '../../charts/index.ts';
import { eastWestGateway } from '../../charts/constructs/scope/names.ts';
import { openClients } from '../../infra/kube/connection.ts';
import { waitFor } from '../../core/wait.ts';
import { planAddresses } from '../../lab/addresses.ts';
import { hostNameAnnotation, hostNameOf } from '../../lab/node/load-balancer-addresses.ts';
import { readLabRecord } from '../../lab/state.ts';
import { callMany, status as code } from './calls/call.ts';
import { stateDir } from './checkout/cli.ts';
import { labMesh, type Cluster } from './checkout/lab-mesh.ts';
import { InventoryService } from './checkout/sample.ts';
import { ensureLab, kubeconfig, kubectl } from './checkout/lab.ts';
import { caller, declareLoad, loadIn, loadMesh } from './load/load-mesh.ts';
import { problemOf } from '../../infra/testing/problems.ts';
import { applyVariant } from './checkout/variant.ts';

const minute = 60_000;
const clusters = ['east', 'west'] as const;
const ports = { eastWest: 31443, ingress: 30080 } as const;
/** Addresses of the nodes, one a cluster: their API servers are there, too. */
let nodes: Readonly<Record<string, string>>;

/** The mesh under load with its gateways reached otherwise than by default. */
function meshWith(gateways: (name: Cluster) => Gateways): Mesh<Cluster> {
  const mesh = labMesh({ more: (cluster) => ({ gateways: gateways(cluster) }) });
  const shop = mesh.namespace(caller.namespace);
  new HttpEdge(shop, 'edge', { expose: declareLoad(shop).slice(-1) });
  return mesh;
}
const onNodePorts =
  (addresses: Readonly<Record<string, string>>) =>
  (name: Cluster): Gateways => ({
    eastWest: { type: 'NodePort', addresses: [addresses[name]!], ports: { tls: ports.eastWest } },
    ingress: { type: 'NodePort', addresses: [nodes[name]!], ports: { http: ports.ingress } },
  });
const apply = (mesh: Mesh<Cluster>) => applyVariant(mesh, { change: loadIn(clusters) });
const directions = [
  ['east', 'west'],
  ['west', 'east'],
] as const;

beforeAll(async () => {
  await ensureLab();
  const access = Object.fromEntries(clusters.map((name) => [name, { kubeconfig, context: name }]));
  nodes = Object.fromEntries(
    Object.entries(openClients(clusters, access)).map(([name, { server }]) => [
      name,
      new URL(server).hostname,
    ]),
  );
}, 60 * minute);
// The suites after this one expect load balancers with addresses.
afterAll(() => apply(loadMesh()), 15 * minute);

describe('without a load balancer', () => {
  beforeAll(() => apply(meshWith(onNodePorts(nodes))), 15 * minute);

  test.each(directions)(
    'calls from %s to %s take the declared address and port, and no other',
    async (from, to) => {
      await expectCalls(from, to, `${nodes[to]!}:${ports.eastWest}`);
    },
  );

  test.each(clusters)('requests from outside come into %s by the port of a node', async (name) => {
    await waitFor({ what: `the ingress gateway at a node of ${name}`, timeoutMs: minute }, async () => {
      const answer = await fetch(`http://${nodes[name]!}:${ports.ingress}/v1/stock/x`).catch(String);
      return typeof answer !== 'string' && answer.status === 200
        ? { done: true, value: true }
        : { done: false, because: typeof answer === 'string' ? answer : `status ${answer.status}` };
    });
  });

  test(
    'a declared address where no gateway listens is told, and from where it was tried',
    async () => {
      const { subnet } = readLabRecord(stateDir)!;
      const nobody = planAddresses(subnet, clusters).host;
      expect(await problemOf(apply(meshWith(onNodePorts({ ...nodes, west: nobody }))))).toEqual({
        exitCode: 1,
        message:
          `from east to west: east-west gateway: not reached from inside east within 30 s: connection refused; received "${nobody}:${ports.eastWest}"; ` +
          'fix: declare in clusters.west.gateways.eastWest a node of west and the port at which it is reached, then run the command again',
      });
    },
    15 * minute,
  );
});

describe('with load balancers that have host names', () => {
  const byName = (): Gateways => ({
    eastWest: {
      type: 'LoadBalancer',
      sources: { any: 'only the machine that the lab runs on reaches it' },
      annotations: { [hostNameAnnotation]: '' },
    },
  });
  beforeAll(() => apply(meshWith(byName)), 15 * minute);

  test.each(directions)('calls from %s to %s take the address that istiod resolves', async (from, to) => {
    const { namespace, name } = eastWestGateway;
    const read = ['-n', namespace, 'get', 'service', name, '-o', 'jsonpath={.status.loadBalancer.ingress}'];
    const [entry, ...more] = JSON.parse(kubectl(to, ...read)) as { ip?: string; hostname?: string }[];
    expect(more).toEqual([]);
    const address =
      /^(\d+)-(\d+)-(\d+)-(\d+)\./
        .exec(entry?.hostname ?? '')
        ?.slice(1)
        .join('.') ?? '';
    expect(entry).toEqual({ hostname: hostNameOf(address) });
    // Nobody outside the lab knows the name.
    await expect(lookup(hostNameOf(address))).rejects.toThrow();
    await expectCalls(from, to, `${address}:15443`);
  });
});

/** Awaits that proxies know this one address of the other cluster's service, and calls it. */
async function expectCalls(from: Cluster, to: Cluster, gateway: string): Promise<void> {
  const service = `answers-${to}.shop.svc.cluster.local`;
  await waitFor({ what: `${from} to know ${gateway}`, timeoutMs: minute }, () => {
    const known = endpoints(from, `outbound|50051||${service}`).join(' ');
    return known === gateway ? { done: true, value: true } : { done: false, because: `it knows ${known}` };
  });
  const { namespace, name, container } = caller;
  const answers = callMany(
    { cluster: from, namespace, target: `deployment/${name}`, container },
    { address: `${service}:50051`, path: `/${InventoryService.typeName}/GetStock`, count: 50 },
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([code.ok]));
  expect(answers.every(({ servedBy }) => servedBy.startsWith(`${to}/`))).toBe(true);
}

/** The addresses a proxy of the calling pods has for a service, as Envoy writes them: `ADDRESS:PORT`. */
function endpoints(cluster: Cluster, service: string): readonly string[] {
  const proxy = ['-n', caller.namespace, 'exec', `deployment/${caller.name}`, '-c', 'istio-proxy', '--'];
  const said = kubectl(cluster, ...proxy, 'pilot-agent', 'request', 'GET', 'clusters');
  const lines = said.split('\n').filter((line) => line.startsWith(`${service}::`));
  return [...new Set(lines.flatMap((line) => /::([\d.]+:\d+)::cx_active::/.exec(line)?.[1] ?? []))].sort();
}
