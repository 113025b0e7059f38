import { waitFor } from '../../../core/wait.ts';
import type { Cluster } from '../checkout/lab-mesh.ts';
import { kubectl } from '../checkout/lab.ts';
import { loadCommand, type Flow } from '../load/load-mesh.ts';
import { declarationOf, imageProject } from './image-project.ts';

/** The images of the servers, as their pods name them. Nobody could pull them. */
export const image = 'registry.example/grpc-go/interop:1.85.0';
export const pythonImage = 'registry.example/grpc-python/server:1.85.1';

const namespace = 'shop';
export const server = 'interop';
/** By the port of its Service, which is not that of the container. */
export const address = `${server}.${namespace}.svc.cluster.local:80`;
/** The other server, of another language. */
export const python = 'python';
export const servers = [server, python] as const;
export type Server = (typeof servers)[number];
const addresses = { [server]: address, [python]: `${python}.${namespace}.svc.cluster.local:7071` } as const;
export const emptyCall = '/grpc.testing.TestService/EmptyCall';

/** The workload whose pods make the calls. */
export const caller = { namespace, name: 'load', container: 'inventory' } as const;

/** The workload that shows what its pods have. */
export const viewer = 'viewer';
/** A workload that undoes a guarantee, with a reason, in a namespace of its own. */
export const agent = 'agent';

/** A NetworkPolicy of one's own. */
export const policy = 'open';
/** The annotation of the service account, by which a cloud would know the viewer. */
export const workloadIdentity = 'shop.example/cloud-role';

/** Asks the server until it answers, by its own identity and through the proxy, and leaves word of it for the container after it. */
const prepare = `
const { writeFileSync } = require('node:fs');
const { connect } = require('node:http2');
const call = () => new Promise((resolve) => {
  const session = connect('http://${address}');
  session.on('error', () => resolve());
  let status;
  const request = session.request({ ':method': 'POST', ':path': '${emptyCall}', 'content-type': 'application/grpc', te: 'trailers' });
  request.on('response', (headers) => { status = headers['grpc-status']; });
  request.on('trailers', (trailers) => { status = trailers['grpc-status']; });
  request.on('error', () => undefined);
  request.on('close', () => { session.close(); resolve(status); });
  request.resume();
  request.end(Buffer.alloc(5));
});
(async () => {
  while ((await call()) !== '0') await new Promise((resolve) => setTimeout(resolve, 250));
  writeFileSync('/scratch/prepared', process.env.NODE);
})();
`;
/** Says on the loopback how much memory it may take. */
const helper = `
process.on('SIGTERM', () => process.exit());
require('node:http').createServer((_, answer) => answer.end(process.env.MEMORY)).listen(9100, '127.0.0.1');
`;
const node = (program: string) => JSON.stringify(['/usr/bin/node', '-e', program]);

/** gRPC's own server in Go and one of grpcio, by their images, in both clusters, and two callers of ours with different grants. */
const declaration = declarationOf({
  names: ['GrpcService', 'OwnObject'],
  services: {
    'grpc/testing/test': ['TestService', 'UnimplementedService'],
    'shop/inventory/v1/inventory': ['InventoryService'],
  },
  body: `
    const ask = ['/client', '--server_host=127.0.0.1', '--server_port=7070', '--test_case=empty_unary'];
    const server = new GrpcService(shop, '${server}', {
      image: '${image}',
      services: [TestService, UnimplementedService],
      port: 7070,
      servicePort: 80,
      args: ['--port=7070'],
      probes: { startup: { exec: ask }, readiness: 'none', liveness: 'none' },
      resources: { requests: { cpu: '20m', memory: '32Mi' }, limits: { memory: '128Mi' } },
    });
    const load = new GrpcService(shop, '${caller.name}', { app: 'apps/inventory', service: InventoryService });
    const python = new GrpcService(shop, '${python}', {
      image: '${pythonImage}',
      service: TestService,
      port: 7071,
      args: ['7071'],
      resources: { requests: { cpu: '20m', memory: '64Mi' }, limits: { memory: '256Mi' } },
    });
    load.calls(server.methodsOf(TestService).emptyCall, python.method.emptyCall);
    const stranger = new GrpcService(shop, 'stranger', { app: 'apps/inventory', service: InventoryService, placement: ['west'] });
    stranger.calls(server.methodsOf(UnimplementedService).unimplementedCall);
    new OwnObject(mesh, 'important', {
      object: { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', value: 1000 },
      stage: '00-namespaces',
    });
    // The lab's network enforces none: this one allows everything.
    new OwnObject(shop, '${policy}', {
      object: {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{}] },
      },
      stage: '50-workloads',
    });
    const agents = mesh.namespace('agents', { podSecurity: { level: 'baseline', reason: 'the agent runs as root' } });
    new GrpcService(agents, '${agent}', {
      app: 'apps/inventory',
      service: InventoryService,
      placement: ['east'],
      pod: {
        patches: [
          { op: 'add', path: '/spec/template/spec/dnsConfig', value: { options: [{ name: 'ndots', value: '2' }] } },
          {
            op: 'add',
            path: '/spec/template/spec/securityContext/runAsNonRoot',
            value: false,
            reason: 'it reads files of root',
          },
          {
            op: 'add',
            path: '/spec/template/spec/containers/0/securityContext/runAsNonRoot',
            value: false,
            reason: 'it reads files of root',
          },
          {
            op: 'add',
            path: '/spec/template/spec/containers/0/securityContext/runAsUser',
            value: 0,
            reason: 'it reads files of root',
          },
        ],
      },
    });
    const viewer = new GrpcService(shop, '${viewer}', {
      app: 'apps/inventory',
      service: InventoryService,
      pod: {
        labels: { 'shop.example/tier': 'front' },
        nodeSelector: { 'kubernetes.io/os': 'linux' },
        tolerations: [{ key: 'shop.example/spot', operator: 'Exists', effect: 'NoSchedule' }],
        serviceAccount: { annotations: { '${workloadIdentity}': 'viewer' } },
        priorityClass: 'important',
        hostAliases: { '10.9.9.9': ['ledger.bank.example'] },
        volumes: {
          scratch: { emptyDir: { sizeLimit: '16Mi' } },
          rules: { files: { 'rules.txt': 'allow carts' } },
          about: { projected: [{ fields: { tier: "metadata.labels['shop.example/tier']" } }] },
        },
        mounts: { '/scratch': 'scratch', '/etc/rules': 'rules', '/run/about': 'about' },
        initContainers: [
          {
            name: 'prepare',
            command: ${node(prepare)},
            env: { NODE: { field: 'spec.nodeName' } },
            mounts: { '/scratch': 'scratch' },
          },
        ],
        containers: [
          {
            name: 'helper',
            command: ${node(helper)},
            env: { MEMORY: { resource: 'limits.memory', divisor: '1Mi' } },
            resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '96Mi' } },
            ports: [9100],
            preStop: { sleepSeconds: 1 },
          },
        ],
        kubernetesApi: { rules: [{ resources: ['pods'], verbs: ['list'] }] },
      },
      clusters: { east: { env: { WHERE: 'the east' } }, west: { env: { WHERE: 'the west', ONLY: 'here' } } },
    });
    viewer.calls(server.methodsOf(TestService).emptyCall);`,
});

/** A project of its own with this declaration, which brings the lab of the checkout to it. */
export const foreignImagesProject = () => imageProject(declaration);

/** From each cluster to each server, wherever a pod of it is. */
export const flows: readonly (Flow & { readonly to: Server })[] = servers.flatMap((to) =>
  (['east', 'west'] as const).map((from) => ({
    ...{ name: `from ${from} to ${to}`, from, to },
    url: `http://${addresses[to]}`,
    path: emptyCall,
    perSecond: 25,
  })),
);

/** The pods of `load` call in the place of serving, as long as they live. */
export function beginCalls(cluster: Cluster): void {
  const command = ['/usr/bin/node', ...loadCommand(flows.filter(({ from }) => from === cluster))];
  const patch = [{ op: 'add', path: '/spec/template/spec/containers/0/command', value: command }];
  kubectl(
    cluster,
    '-n',
    namespace,
    'patch',
    `deployment/${caller.name}`,
    '--type=json',
    '-p',
    JSON.stringify(patch),
  );
}

/** Names of a server's pods in a cluster, with those that end. */
export function serverPods(cluster: Cluster, of: Server = server): readonly string[] {
  const selector = `app.kubernetes.io/name=${of}`;
  const names = kubectl(cluster, '-n', namespace, 'get', 'pods', '-l', selector, '-o', 'name').trim();
  return names === '' ? [] : names.split('\n').map((name) => name.replace('pod/', ''));
}

/** Awaits that a cluster has so many pods of a server, and none that ends. */
export async function awaitPods(cluster: Cluster, of: Server, count: number): Promise<void> {
  const limits = { what: `${count} pods of ${of} in ${cluster}, and none that ends`, timeoutMs: 120_000 };
  awaitRollout(cluster, of);
  await waitFor(limits, () => {
    const pods = serverPods(cluster, of);
    return pods.length === count
      ? { done: true, value: undefined }
      : { done: false, because: `there are ${pods.join(', ')}` };
  });
}

/** Awaits that the Deployment in a cluster has been rolled out. */
export function awaitRollout(cluster: Cluster, deployment: string): void {
  kubectl(cluster, '-n', namespace, 'rollout', 'status', `deployment/${deployment}`, '--timeout=120s');
}
