import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { lab, Mesh, HttpEdge, type Gateways } from '../../charts/index.ts';
import { openClients } from '../../infra/connection.ts';
import { waitFor } from '../../core/wait.ts';
import { InventoryService } from '../../gen/shop/inventory/v1/inventory_pb.js';
import { callMany, status as code } from './call.ts';
import { root } from './cli.ts';
import { ensureUp, kubeconfig, kubectl } from './lab.ts';
import { caller, declareLoad, loadIn, loadMesh } from './load-mesh.ts';
import { applyVariant } from './variant.ts';

const minute = 60_000;
const clusters = ['east', 'west'] as const;
type Name = (typeof clusters)[number];
const ports = { eastWest: 31443, ingress: 30080 } as const;
/** Addresses of the nodes, one a cluster: their API servers are there, too. */
let nodes: Readonly<Record<string, string>>;

/** The mesh under load, with no load balancer: its gateways are on ports of the nodes, at addresses that are declared. */
function meshOnNodePorts(): Mesh<Name> {
  const gateways = (name: Name): Gateways => ({
    eastWest: { type: 'NodePort', addresses: [nodes[name]!], ports: { tls: ports.eastWest } },
    ingress: { type: 'NodePort', addresses: [nodes[name]!], ports: { http: ports.ingress } },
  });
  const mesh = new Mesh('shop', {
    root,
    trustDomain: 'shop.example',
    clusters: {
      east: { network: 'net-east', region: 'us-east1', zone: 'us-east1-b', gateways: gateways('east') },
      west: { network: 'net-west', region: 'us-west1', zone: 'us-west1-a', gateways: gateways('west') },
    },
    platform: lab,
  });
  const shop = mesh.namespace(caller.namespace);
  new HttpEdge(shop, 'edge', { expose: declareLoad(shop).slice(-1) });
  return mesh;
}

beforeAll(async () => {
  await ensureUp();
  const access = Object.fromEntries(clusters.map((name) => [name, { kubeconfig, context: name }]));
  nodes = Object.fromEntries(
    Object.entries(openClients(clusters, access)).map(([name, { server }]) => [
      name,
      new URL(server).hostname,
    ]),
  );
  await applyVariant(meshOnNodePorts(), { change: loadIn(clusters) });
}, 60 * minute);
// The suites after this one expect load balancers.
afterAll(async () => {
  await applyVariant(loadMesh(), { change: loadIn(clusters) });
}, 5 * minute);

describe.each([
  ['east', 'west'],
  ['west', 'east'],
] as const)('without a load balancer, from %s to %s', (from, to) => {
  test('proxies know the declared address and port, and no other, and calls go through', async () => {
    const gateway = `${nodes[to]!}:${ports.eastWest}`;
    const cluster = `outbound|50051||answers-${to}.shop.svc.cluster.local`;
    await waitFor({ what: `${from} to know ${gateway}`, timeoutMs: minute }, () => {
      const known = endpoints(from, cluster);
      return known.join(' ') === gateway
        ? { done: true, value: true }
        : { done: false, because: `it knows ${known.join(' ')}` };
    });
    const answers = callMany(
      {
        cluster: from,
        namespace: caller.namespace,
        target: `deployment/${caller.name}`,
        container: caller.container,
      },
      {
        address: `answers-${to}.shop.svc.cluster.local:50051`,
        path: `/${InventoryService.typeName}/GetStock`,
        count: 50,
      },
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([code.ok]));
    expect(answers.every(({ servedBy }) => servedBy.startsWith(`${to}/`))).toBe(true);
  });

  test('requests from outside come in by the port of a node', async () => {
    const response = await fetch(`http://${nodes[from]!}:${ports.ingress}/v1/stock/x`);
    expect(response.status).toBe(200);
  });
});

/** The addresses a proxy of the calling pods has for a service, as Envoy writes them: `ADDRESS:PORT`. */
function endpoints(cluster: Name, service: string): readonly string[] {
  const proxy = ['-n', caller.namespace, 'exec', `deployment/${caller.name}`, '-c', 'istio-proxy', '--'];
  const said = kubectl(cluster, ...proxy, 'pilot-agent', 'request', 'GET', 'clusters');
  const lines = said.split('\n').filter((line) => line.startsWith(`${service}::`));
  return [...new Set(lines.flatMap((line) => /::([\d.]+:\d+)::cx_active::/.exec(line)?.[1] ?? []))].sort();
}
