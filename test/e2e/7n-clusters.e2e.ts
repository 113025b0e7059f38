import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { copyFileSync, cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { thisWorkspace } from '../../cli/workspace/workspace.ts';
import { removeMesh } from '../../infra/apply/remove.ts';
import { npm, root } from './checkout/cli.ts';
import { clusters } from './checkout/contexts.ts';
import { ensureLab, kubeconfig, kubectl } from './checkout/lab.ts';
import { everything } from './everything.ts';
import { bringImages } from './foreign/project.ts';
import { loadIn, loadMesh } from './load/load-mesh.ts';
import { applyVariant } from './checkout/variant.ts';

const minute = 60_000;
const places = { east: ['us-east1', 'us-east1-b'], west: ['us-west1', 'us-west1-a'] } as const;
type Cluster = keyof typeof places;

/** The catalog of the sample, in each of these clusters, and an edge before it. */
function declaration(names: readonly Cluster[]): string {
  const declared = Object.fromEntries(
    names.map((name) => [name, { network: `net-${name}`, region: places[name][0], zone: places[name][1] }]),
  );
  return `
import { declare, GrpcService, HttpEdge, lab, Mesh } from '${root}/charts/index.ts';
import { comments } from '${root}/gen/comments.js';
import { CatalogService } from '${root}/gen/shop/catalog/v1/catalog_pb.js';

export default declare({
  environments: { lab: { platform: lab, clusters: ${JSON.stringify(declared)} } },
  mesh: ({ root, values }) => {
    const mesh = new Mesh('store', { root, trustDomain: 'store.example', comments, ...values });
    const namespace = mesh.namespace('store');
    const catalog = new GrpcService(namespace, 'catalog', { app: 'apps/catalog', service: CatalogService });
    new HttpEdge(namespace, 'edge', { expose: [catalog] });
    return mesh;
  },
});
`;
}

/** A project of its own, with the checkout's apps. */
function project() {
  const folder = mkdtempSync(join(tmpdir(), 'clusters-project-'));
  cpSync(join(root, 'apps'), join(folder, 'apps'), { recursive: true });
  for (const name of ['core', 'gen', 'http-rule', 'node_modules', 'tsconfig.json'])
    symlinkSync(join(root, name), join(folder, name));
  copyFileSync(join(root, 'images.lock.json'), join(folder, 'images.lock.json'));
  const program = `'${root}/node_modules/.bin/node' --disable-warning=ExperimentalWarning '${root}/cli/main.ts'`;
  const scripts = { up: `${program} up`, down: `${program} down` };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'store', type: 'module', scripts }));
  const env = { MESHWRIGHT_STATE_DIR: join(folder, '.meshwright'), KUBECONFIG: kubeconfig };
  return {
    folder,
    declare: (names: readonly Cluster[], text = declaration(names)) => {
      writeFileSync(join(folder, 'mesh.ts'), text);
    },
    run: (command: string, ...flags: readonly string[]) => npm(command, flags, env, folder),
    remove: () => {
      rmSync(folder, { recursive: true });
    },
  };
}

/** Asks the catalog through the ingress gateway of the east, one request after the other, until it is stopped. */
function ask() {
  const service = ['-n', 'istio-ingress', 'get', 'service', 'istio-ingressgateway', '-o'];
  const address = kubectl('east', ...service, 'jsonpath={.status.loadBalancer.ingress[0].ip}');
  const until = new AbortController();
  const seen = { made: 0, failed: [] as string[] };
  const asking = (async () => {
    while (!until.signal.aborted) {
      seen.made++;
      const answer = await fetch(`http://${address}/v1/products`, {
        signal: AbortSignal.timeout(10_000),
      }).then(
        async (response) => (response.ok ? undefined : `${response.status} ${await response.text()}`),
        String,
      );
      if (answer !== undefined) seen.failed.push(answer);
    }
  })();
  return async () => {
    until.abort();
    await asking;
    return seen;
  };
}

const namespacesOf = (cluster: Cluster) => kubectl(cluster, 'get', 'namespaces', '-o', 'name');
const access = Object.fromEntries(clusters.map((name) => [name, { kubeconfig, context: name }]));
const report = (line: string) => process.stderr.write(`${line}\n`);

// It runs `up` three times.
(everything ? describe : describe.skip)('clusters come and go', () => {
  let store: ReturnType<typeof project>;
  beforeAll(async () => {
    await ensureLab();
    await removeMesh(loadMesh().model(), { access, trustDir: thisWorkspace().trustDir, report });
    store = project();
    await bringImages(store.folder);
  }, 60 * minute);
  afterAll(async () => {
    await store.run('down');
    store.remove();
    // What the suites after this one expect.
    await applyVariant(loadMesh(), { change: loadIn(clusters) });
  }, 15 * minute);

  test(
    'up brings the mesh up in one cluster, and adds another one by its flag alone',
    async () => {
      store.declare(['east']);
      expect(await store.run('up', '--engine', 'apply', '--context', 'east=east')).toMatchObject({ code: 0 });
      expect(namespacesOf('west')).not.toContain('istio-system');
      store.declare(['east', 'west']);
      expect(await store.run('up', '--context', 'west=west')).toMatchObject({ code: 0 });
      expect(namespacesOf('west')).toContain('namespace/store');
    },
    15 * minute,
  );

  test(
    'up says that it will remove one that is no longer declared, removes it, and no call in the other fails',
    async () => {
      const stop = ask();
      store.declare(['east']);
      const { code, stdout } = await store.run('up');
      const { made, failed } = await stop();
      expect(code).toBe(0);
      expect(stdout).toContain(
        `up: cluster west is no longer declared: when the mesh is applied to east and proved there, all of it is deleted from west (context west of ${kubeconfig})\n`,
      );
      expect(failed).toEqual([]);
      expect(made).toBeGreaterThan(100);
      expect(namespacesOf('west')).not.toMatch(/store|istio/);
    },
    15 * minute,
  );

  test(
    'down goes by what is up, whatever is declared now',
    async () => {
      store.declare(['west'], declaration(['west']).replaceAll("'store'", "'other'"));
      expect(await store.run('down')).toMatchObject({ code: 0 });
      for (const cluster of clusters) expect(namespacesOf(cluster)).not.toMatch(/store|istio/);
    },
    15 * minute,
  );
});
