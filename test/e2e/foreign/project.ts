import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { loadAppConfigs } from '../../../apps/config/app-config.ts';
import { lab } from '../../../charts/index.ts';
import { thisWorkspace } from '../../../cli/workspace/workspace.ts';
import { archiveName, ensureImages } from '../../../images/build.ts';
import { refreshLock } from '../../../images/lock-apps.ts';
import { importImages } from '../../../lab/lab.ts';
import { ensureTools } from '../../../toolchain/build.ts';
import { audience, issuer, jwks } from '../calls/edge.ts';
import { labMesh } from '../checkout/lab-mesh.ts';
import { kubeconfig } from '../checkout/lab.ts';
import { writeKubeconfig, type Command } from '../checkout/least-rights.ts';
import { npm, root, type Finished } from '../checkout/cli.ts';
import { clusters, front, networkOf, tag } from './istio.ts';
import { caller, shared, theirs } from './workloads.ts';

/** What a declaration says, where it differs from {@link declaration}'s own. */
export interface Declared {
  readonly trustDomain?: string;
  readonly revision?: string;
  readonly network?: string;
  readonly namespace?: string;
  readonly sharedNamespace?: string;
  /** The name of the workload in the shared namespace. */
  readonly stock?: string;
  /** Whether workloads of others are called, and call. */
  readonly neighbors?: boolean;
  /** Whether the edge joins the gateways of others. */
  readonly joins?: boolean;
  readonly ingressService?: string;
  /** Of the edge that joins them. @default - {@link joinedHost} */
  readonly host?: string;
}

/** The host of an edge at gateways of others, whose callers need a token, and may list so many products at once. */
export const joinedHost = 'boutique.example';
export const listsAtOnce = 5;

/** One workload of others on each side of ours: one is called by orders, one calls the catalog. */
const neighbors = `
    const ledger = existingService(mesh, { namespace: '${shared}', name: 'ledger', service: InventoryService });
    orders.calls(ledger.method.getStock);
    existingCaller(mesh, { namespace: '${theirs}', serviceAccount: '${caller.name}' }).calls(catalog.method.getProduct);
`;

/** A mesh on the Istio of others: catalog in both clusters, orders in the east, stock in the west in a namespace of others. */
function declaration(declared: Declared): string {
  const {
    trustDomain = 'cluster.local',
    revision = tag,
    network = networkOf('east'),
    namespace = 'boutique',
    sharedNamespace = shared,
    stock = 'inventory',
  } = declared;
  const ingress = {
    namespace: front.namespace,
    serviceAccount: `${front.name}-service-account`,
    selector: { istio: 'front' },
    service: declared.ingressService ?? front.name,
  };
  const resources = "{ requests: { cpu: '5m', memory: '32Mi' }, limits: { cpu: '2', memory: '512Mi' } }";
  const joined = declared.joins === true ? `ingress: ${JSON.stringify(ingress)},` : '';
  const guarded = `
      hosts: ['${declared.host ?? joinedHost}'],
      jwt: ${JSON.stringify({ issuer, audiences: [audience], jwks, claims: { sub: 'x-user' } })},
      rateLimits: [{ method: catalog.method.listProducts, by: 'client', perSecond: 1, burst: ${listsAtOnce} }],`;
  return `
import { declare, existing, existingCaller, existingService, GrpcService, HttpEdge, Mesh } from '${root}/charts/index.ts';
import { comments } from '${root}/gen/comments.js';
import { CatalogService } from '${root}/gen/shop/catalog/v1/catalog_pb.js';
import { InventoryService } from '${root}/gen/shop/inventory/v1/inventory_pb.js';
import { OrdersService } from '${root}/gen/shop/orders/v1/orders_pb.js';

export default declare({
  environments: {
    // Taken where contexts alone are given.
    lab: {
      platform: existing({
        imageHub: 'localhost/meshwright',
        istio: { revision: '${revision}' },
        ${joined}
        sidecar: ${resources},
        gateway: { replicas: 1, nodePorts: false, sources: { any: 'a lab' }, ...${resources} },
      }),
      clusters: {
        east: { network: '${network}', region: 'us-east1', zone: 'us-east1-b' },
        west: { network: '${networkOf('west')}', region: 'us-west1', zone: 'us-west1-a' },
      },
    },
  },
  mesh: ({ root, values }) => {
    const mesh = new Mesh('boutique', { root, trustDomain: '${trustDomain}', comments, ...values });
    const ours = mesh.namespace('${namespace}');
    const theirs = mesh.namespace('${sharedNamespace}', { shared: true });
    const catalog = new GrpcService(ours, 'catalog', { app: 'apps/catalog', service: CatalogService });
    const stock = new GrpcService(theirs, '${stock}', { app: 'apps/inventory', service: InventoryService, placement: ['west'] });
    const orders = new GrpcService(ours, 'orders', { app: 'apps/orders', service: OrdersService, placement: ['east'] });
    orders.calls(catalog.method.getProduct, stock.method.reserve, catalog.method.watchPrices);
    ${declared.neighbors === true ? neighbors : ''}
    new HttpEdge(ours, 'edge', { ${declared.joins === true ? guarded : ''} expose: [catalog, stock, orders] });
    return mesh;
  },
});
`;
}

/** Builds the images of a project and brings them to the nodes, which pull from nowhere. */
export async function bringImages(folder: string): Promise<void> {
  await refreshLock(folder);
  const { cacheDir, logsDir, stateDir } = thisWorkspace();
  const report = (line: string) => process.stderr.write(`foreign: ${line}\n`);
  const images = await ensureImages({
    root: folder,
    cacheDir,
    apps: loadAppConfigs(folder),
    hub: lab.imageHub,
    istio: {
      tools: await ensureTools({ cacheDir, logsDir, sets: ['istio', 'envoy'], report }),
      tag: lab.istio.tag,
    },
    report,
  });
  await importImages(
    { stateDir, clusters: labMesh().model().clusters, report },
    images
      .filter(({ locked }) => locked !== undefined)
      .map((image) => ({ ...image, archive: join(image.folder, archiveName) })),
  );
}

/** A project of its own with such a declaration, whose apps are copies of the checkout's. */
export function foreignProject() {
  const folder = mkdtempSync(join(tmpdir(), 'foreign-project-'));
  cpSync(join(root, 'apps'), join(folder, 'apps'), { recursive: true });
  for (const name of ['core', 'gen', 'http-rule', 'node_modules', 'tsconfig.json'])
    symlinkSync(join(root, name), join(folder, name));
  copyFileSync(join(root, 'images.lock.json'), join(folder, 'images.lock.json'));
  const program = `'${root}/node_modules/.bin/node' --disable-warning=ExperimentalWarning '${root}/cli/main.ts'`;
  const scripts = Object.fromEntries(
    ['up', 'down', 'status'].map((command) => [command, `${program} ${command}`]),
  );
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'boutique', type: 'module', scripts }));
  // One file, whatever its credentials: the record of the checkout names it.
  const own = join(folder, 'kubeconfig');
  const env = { MESHWRIGHT_STATE_DIR: join(folder, '.meshwright'), KUBECONFIG: own };
  const contexts = clusters.flatMap((name) => ['--context', `${name}=${name}`]);
  const configure = (app: string, keys: object) => {
    const file = join(folder, 'apps', app, 'config.yml');
    writeFileSync(file, stringify({ ...(parse(readFileSync(file, 'utf8')) as object), ...keys }));
  };
  const declare = (declared: Declared = {}) => {
    writeFileSync(join(folder, 'mesh.ts'), declaration(declared));
    const { namespace = 'boutique', sharedNamespace = shared, stock = 'inventory' } = declared;
    const env = {
      CATALOG_ADDRESS: `catalog.${namespace}.svc.cluster.local:50051`,
      INVENTORY_ADDRESS: `${stock}.${sharedNamespace}.svc.cluster.local:50051`,
    };
    configure('orders', { env });
  };
  const run = (command: string, ...flags: readonly string[]): Promise<Finished> =>
    npm(command, flags, env, folder);
  return {
    folder,
    declare,
    /** Changes keys of an app's config.yml. */
    configure,
    bringImages: () => bringImages(folder),
    up: (...flags: readonly string[]) => run('up', '--engine', 'apply', ...contexts, ...flags),
    run,
    /** Takes the credentials that have the least rights for a command from now on; without one those of the administrator. */
    actAs: (command?: Command) => {
      if (command === undefined) copyFileSync(kubeconfig, own);
      else writeKubeconfig(own, command);
    },
    remove: () => {
      rmSync(folder, { recursive: true });
    },
  };
}
