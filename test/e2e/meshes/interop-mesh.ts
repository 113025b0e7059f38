import { cpSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { loadAppConfigs } from '../../../apps/config/app-config.ts';
import { refreshLock } from '../../../images/lock-apps.ts';
import { methodsOf } from '../../../charts/constructs/scope/method.ts';
import { GrpcService, type Mesh, type Method, type MethodKind } from '../../../charts/index.ts';
import type { KubernetesObject } from '../../../charts/model/mesh-model.ts';
import { thisWorkspace } from '../../../cli/workspace/workspace.ts';
import { TestService, UnimplementedService } from '../../../gen/grpc/testing/test_pb.js';
import { archiveName, ensureImages } from '../../../images/build.ts';
import { importImages } from '../../../lab/lab.ts';
import { ensureTools } from '../../../toolchain/build.ts';
import type { Caller } from '../calls/call.ts';
import { root } from '../checkout/cli.ts';
import { apps, labMesh, type Cluster } from '../checkout/lab-mesh.ts';
import { echoIn } from '../calls/echo.ts';
import { kubectl } from '../checkout/lab.ts';
import { projectWith } from '../checkout/project.ts';

const clusters = ['east', 'west'] as const;

const namespaceName = 'shop';
const clientName = 'interop-client';
/** The only folder of the client's pods that can be written to. */
const folder = '/tools';
const program = `${folder}/interop-client`;

/** The service of a cluster, where its only pod is. */
export function serverOf(cluster: Cluster): { readonly name: string; readonly host: string } {
  const name = `interop-${cluster}`;
  return { name, host: `${name}.${namespaceName}.svc.cluster.local` };
}

/** The pod of a cluster that gRPC's interop client runs in. */
export function clientIn(cluster: Cluster): Caller {
  return { cluster, namespace: namespaceName, target: `deployment/${clientName}`, container: 'inventory' };
}

/**
 * A copy of the project in which test/interop is an app as any other: bundled, locked, and its image built and brought to
 * the nodes as `npm run up` does it. `remove` the copy after.
 */
export async function interopProject(): Promise<ReturnType<typeof projectWith>> {
  const project = projectWith({});
  cpSync(join(root, 'test/interop'), join(project.root, 'apps/interop'), { recursive: true });
  for (const name of ['core', 'gen', 'http-rule', 'node_modules', 'package.json', 'tsconfig.json'])
    symlinkSync(join(root, name), join(project.root, name));
  await refreshLock(project.root);
  const { cacheDir, logsDir, stateDir } = thisWorkspace();
  const report = (line: string) => process.stderr.write(`interop: ${line}\n`);
  const { istio, clusters: nodes } = interopMesh(project.root).model();
  const images = await ensureImages({
    root: project.root,
    cacheDir,
    apps: loadAppConfigs(project.root),
    hub: istio!.hub,
    istio: {
      tools: await ensureTools({ cacheDir, logsDir, sets: ['istio', 'envoy'], report }),
      tag: istio!.tag,
    },
    report,
  });
  await importImages(
    { stateDir, clusters: nodes, report },
    images
      .filter(({ locked }) => locked !== undefined)
      .map((image) => ({ ...image, archive: join(image.folder, archiveName) })),
  );
  return project;
}

/**
 * The service of gRPC's interoperability tests in each cluster, and in both a workload for their client. It may call all
 * methods of TestService, and the one of a service that no server has: so what it gets for that is the server's answer.
 */
export function interopMesh(projectRoot: string): Mesh<Cluster> {
  const mesh = labMesh({ root: projectRoot });
  const shop = mesh.namespace(namespaceName);
  const client = new GrpcService(shop, clientName, apps.inventory);
  for (const cluster of clusters) {
    const server = new GrpcService(shop, serverOf(cluster).name, {
      app: 'apps/interop',
      service: TestService,
      placement: [cluster],
    });
    client.calls(
      ...Object.values<Method<MethodKind, Cluster>>(server.method),
      methodsOf(server, UnimplementedService).unimplementedCall,
    );
  }
  return mesh;
}

interface Deployment extends KubernetesObject {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { readonly name: string }[] } };
  };
}

/** For `applyVariant`: the client's pods wait for work, and have a folder for its program. */
export function clientFolder(object: KubernetesObject): KubernetesObject {
  if (object.kind !== 'Deployment' || object.metadata.name !== clientName) return object;
  const { spec } = echoIn(namespaceName)(object) as Deployment;
  const volumeMounts = [{ name: 'tools', mountPath: folder }];
  const containers = spec.template.spec.containers.map((container) => ({ ...container, volumeMounts }));
  const pod = { ...spec.template.spec, containers, volumes: [{ name: 'tools', emptyDir: {} }] };
  return { ...object, spec: { ...spec, template: { ...spec.template, spec: pod } } };
}

/** Puts gRPC's interop client, a static program, into its pod. */
export function installClient(cluster: Cluster, path: string): void {
  const write = `process.stdin.pipe(require('node:fs').createWriteStream('${program}', { mode: 0o755 }))`;
  kubectl(cluster, ...execIn(cluster, '--stdin'), '/usr/bin/node', '-e', write, {
    input: readFileSync(path),
  });
}

/** Runs one of its cases against the service of a cluster. @throws Error with what it printed when the case does not pass */
export function runCase(from: Cluster, to: Cluster, testCase: string): void {
  const server = [`--server_host=${serverOf(to).host}`, '--server_port=50051'];
  kubectl(from, ...execIn(from), program, ...server, `--test_case=${testCase}`);
}

function execIn(cluster: Cluster, ...flags: readonly string[]): readonly string[] {
  const { namespace, target, container } = clientIn(cluster);
  return ['-n', namespace, 'exec', ...flags, target, '-c', container, '--'];
}
