import { copyFileSync, cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '../../../core/wait.ts';
import { npm, root, stateDir, type Finished } from '../checkout/cli.ts';
import type { Cluster } from '../checkout/lab-mesh.ts';
import { kubectl } from '../checkout/lab.ts';
import { loadCommand, type Flow } from '../load/load-mesh.ts';

/** The image of the server, as its pods name it. Nobody could pull it. */
export const image = 'registry.example/grpc-go/interop:1.85.0';

const namespace = 'shop';
export const server = 'interop';
/** By the port of its Service, which is not that of the container. */
export const address = `${server}.${namespace}.svc.cluster.local:80`;
export const emptyCall = '/grpc.testing.TestService/EmptyCall';

/** The workload whose pods make the calls. */
export const caller = { namespace, name: 'load', container: 'inventory' } as const;

/** gRPC's own server in Go, by its image, in both clusters, and two callers of ours with different grants. */
const declaration = `
import { declare, GrpcService, lab, Mesh } from '${root}/charts/index.ts';
import { TestService, UnimplementedService } from '${root}/gen/grpc/testing/test_pb.js';
import { InventoryService } from '${root}/gen/shop/inventory/v1/inventory_pb.js';

const clusters = {
  east: { network: 'net-east', region: 'us-east1', zone: 'us-east1-b' },
  west: { network: 'net-west', region: 'us-west1', zone: 'us-west1-a' },
};

export default declare({
  environments: { lab: { platform: lab } },
  mesh: ({ root, values }) => {
    const mesh = new Mesh('shop', { root, trustDomain: 'shop.example', clusters, ...values });
    const shop = mesh.namespace('${namespace}');
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
    load.calls(server.methodsOf(TestService).emptyCall);
    const stranger = new GrpcService(shop, 'stranger', { app: 'apps/inventory', service: InventoryService, placement: ['west'] });
    stranger.calls(server.methodsOf(UnimplementedService).unimplementedCall);
    return mesh;
  },
});
`;

/** A project of its own with this declaration, which brings the lab of the checkout to it. */
export function foreignImagesProject() {
  const folder = mkdtempSync(join(tmpdir(), 'meshwright-foreign-images-'));
  cpSync(join(root, 'apps'), join(folder, 'apps'), { recursive: true });
  for (const name of ['core', 'gen', 'http-rule', 'node_modules', 'tsconfig.json'])
    symlinkSync(join(root, name), join(folder, name));
  copyFileSync(join(root, 'images.lock.json'), join(folder, 'images.lock.json'));
  const program = `'${root}/node_modules/.bin/node' --disable-warning=ExperimentalWarning '${root}/cli/main.ts'`;
  const scripts = { up: `${program} up`, status: `${program} status` };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'foreign', type: 'module', scripts }));
  writeFileSync(join(folder, 'mesh.ts'), declaration);
  const env = { MESHWRIGHT_STATE_DIR: stateDir };
  return {
    folder,
    /** Says in the stack file where the archives are. */
    bring: (labImages: Readonly<Record<string, string>>) => {
      const config = JSON.stringify({ config: { 'meshwright:labImages': labImages } });
      writeFileSync(join(folder, 'Pulumi.lab.yaml'), config);
    },
    run: (command: 'up' | 'status', ...flags: readonly string[]): Promise<Finished> =>
      npm(command, flags, env, folder),
    remove: () => {
      rmSync(folder, { recursive: true });
    },
  };
}

/** From each cluster to the server, wherever a pod of it is. */
export const flows: readonly Flow[] = (['east', 'west'] as const).map((from) => ({
  name: `from ${from}`,
  from,
  url: `http://${address}`,
  path: emptyCall,
  perSecond: 50,
}));

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

/** Names of the server's pods in a cluster, with those that end. */
export function serverPods(cluster: Cluster): readonly string[] {
  const selector = `app.kubernetes.io/name=${server}`;
  const names = kubectl(cluster, '-n', namespace, 'get', 'pods', '-l', selector, '-o', 'name').trim();
  return names === '' ? [] : names.split('\n').map((name) => name.replace('pod/', ''));
}

/** Awaits that a cluster has so many pods of the server, and none that ends. */
export async function awaitPods(cluster: Cluster, count: number): Promise<void> {
  const limits = { what: `${count} pods of ${server} in ${cluster}, and none that ends`, timeoutMs: 120_000 };
  awaitRollout(cluster);
  await waitFor(limits, () => {
    const pods = serverPods(cluster);
    return pods.length === count
      ? { done: true, value: undefined }
      : { done: false, because: `there are ${pods.join(', ')}` };
  });
}

/** Awaits that the Deployment in a cluster has been rolled out. */
export function awaitRollout(cluster: Cluster, deployment = server): void {
  kubectl(cluster, '-n', namespace, 'rollout', 'status', `deployment/${deployment}`, '--timeout=120s');
}
