import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { waitFor } from '../../core/wait.ts';
import { synthMesh } from '../../cli/workspace/synth-mesh.ts';
import { removeMesh } from '../../infra/apply/remove.ts';
import { callOnce, eventually, status } from './calls/call.ts';
import {
  addressOf,
  ask,
  askUntil,
  bearer,
  burst,
  inOrder,
  readAddress,
  theirs as theirKeys,
  token,
} from './calls/edge.ts';
import { stateDir, npm, root } from './checkout/cli.ts';
import { expectNoMesh } from './checkout/contexts.ts';
import { ensureLab, kubeconfig, kubectl } from './checkout/lab.ts';
import { grantRights, revokeRights, type Documented } from './checkout/least-rights.ts';
import { everything } from './everything.ts';
import {
  clusters,
  configureIstio,
  front,
  giveRemoteSecret,
  installIstio,
  removeIstio,
  tag,
} from './foreign/istio.ts';
import { foreignProject, joinedHost, listsAtOnce, type Declared } from './foreign/project.ts';
import { refused } from './foreign/refusals.ts';
import { differences, takeSnapshot, type Snapshot } from './foreign/snapshot.ts';
import {
  caller,
  deployTheirs,
  flows,
  removeTheirs,
  serveTheirHost,
  theirHost,
  theirs,
} from './foreign/workloads.ts';
import { startLoad, type LoadResult, type SteadyLoad } from './load/steady-load.ts';

const minute = 60_000;
const project = foreignProject();
let before: Snapshot;
let load: SteadyLoad | undefined;

/** The documented least rights, for the mesh of the project. */
const rights: Documented = {
  folder: 'docs/rights/existing-istio',
  named: (yaml) => yaml.replaceAll(/\bshop\b/g, 'boutique'),
  withNamespaces: false,
};

const expectAll = (result: LoadResult) => {
  process.stderr.write(`calls of others: ${JSON.stringify(result)}\n`);
  expect(result.failures).toEqual([]);
  expect(result.failed).toBe(0);
  expect(result.calls).toBeGreaterThan(0);
};

/** Expects that down takes away all that up made and nothing else, and that no call of others was lost since the load began. */
const expectDown = async () => {
  const { code } = await project.run('down');
  const stopped = await load!.stop();
  load = undefined;
  expectAll(stopped);
  expect(code).toBe(0);
  // What Kubernetes made of ours, such as pods, goes in its own time.
  await waitFor({ what: 'nothing but what others had', timeoutMs: minute, intervalMs: 2_000 }, async () => {
    const [first] = differences(before, await takeSnapshot(), true);
    return first === undefined ? { done: true, value: true } : { done: false, because: first };
  });
};

// It installs an Istio in both clusters, and takes a quarter of an hour.
(everything ? describe : describe.skip)('on an Istio of others', () => {
  beforeAll(async () => {
    await ensureLab();
    project.actAs();
    const { model } = await synthMesh(root, 'lab');
    const access = Object.fromEntries(clusters.map((name) => [name, { kubeconfig, context: name }]));
    const report = (line: string) => process.stderr.write(`${line}\n`);
    await removeMesh(model, { access, trustDir: `${stateDir}/trust`, report });
    expectNoMesh();
    await project.bringImages();
    await installIstio();
    deployTheirs(model.images.find(({ app }) => app === 'apps/inventory')!.reference);
  }, 60 * minute);

  afterAll(async () => {
    await load?.stop().catch(() => undefined);
    await project.run('down');
    removeTheirs();
    await removeIstio();
    project.remove();
    expectNoMesh();
    // As the other suites expect it.
    expect(await npm('up')).toMatchObject({ code: 0 });
  }, 30 * minute);

  describe('before anything is changed, preflight names', () => {
    const refusal = async (declared: Declared) => {
      project.declare(declared);
      const { code, stderr } = await project.up();
      expect(code).toBe(2);
      return stderr;
    };
    test.each(refused)(
      '%s',
      async (_, declared, message) => {
        const said = await refusal(declared);
        for (const line of message.split('\n')) expect(said).toContain(line);
      },
      2 * minute,
    );

    test(
      'a cluster that istiod does not know',
      async () => {
        const secret = ['-n', 'istio-system', 'delete', 'secret', 'istio-remote-secret-west'];
        kubectl('east', ...secret);
        try {
          expect(await refusal({})).toContain(
            'east: Istio: does not know cluster west: calls would never get to services that run there alone, and no other cluster would take over; fix: have its owners give it a remote secret: istioctl create-remote-secret --name west, applied in east',
          );
        } finally {
          await giveRemoteSecret('east', 'west');
        }
      },
      2 * minute,
    );
  });

  describe('while workloads of others call', () => {
    beforeAll(async () => {
      load = await startLoad({ clusters, caller, flows });
      before = await takeSnapshot();
    }, 2 * minute);

    test(
      'up brings the mesh up on it and proves it by calls, and needs no trust and no istioctl',
      async () => {
        project.declare();
        const { code, stdout } = await project.up('--prove');
        expect(code).toBe(0);
        expect(stdout).toMatch(
          /^healthy: 2 clusters and \d+ services are ready, and clusters reach each other$/m,
        );
        expect(stdout).not.toMatch(/certificates of every proxy|root CA|istioctl/);
        expect(differences(before, await takeSnapshot())).toEqual([]);
      },
      15 * minute,
    );

    test(
      'status says how it does, without a word on CAs and tokens of others',
      async () => {
        const { code, stdout } = await project.run('status');
        expect(code).toBe(0);
        expect(stdout).toMatch(/^CLUSTER {2}READY {2}NODES {2}ISTIO \(PROXIES\) {2}CONTEXT$/m);
        expect(stdout).toContain(`${tag} (`);
        expect(stdout).not.toMatch(/CA UNTIL|TOKEN UNTIL|EAST-WEST|trust:/);
      },
      2 * minute,
    );

    test(
      'a changed service is rolled out with the least rights that docs has for it, and nothing else is touched',
      async () => {
        project.configure('catalog', { replicas: 2 });
        for (const cluster of clusters) grantRights(cluster, rights);
        try {
          project.actAs('up');
          const { code, stdout } = await project.up();
          expect(code).toBe(0);
          expect(stdout).toMatch(/^\d+ created, 2 changed, 0 deleted, \d+ unchanged/m);
          project.actAs('status');
          expect(await project.run('status')).toMatchObject({ code: 0 });
        } finally {
          project.actAs();
          for (const cluster of clusters) revokeRights(cluster, rights);
        }
        expect(differences(before, await takeSnapshot())).toEqual([]);
      },
      15 * minute,
    );

    test(
      'a workload of others is called by one of ours, and one of theirs calls ours what it may and nothing else',
      async () => {
        const call = (method: string) =>
          callOnce(
            {
              cluster: 'east',
              namespace: theirs,
              target: `deployment/${caller.name}`,
              container: caller.container,
            },
            {
              address: 'catalog.boutique.svc.cluster.local:50051',
              path: `/shop.catalog.v1.CatalogService/${method}`,
              // Field 1, a string: a product that nobody has.
              message: Buffer.from([0x0a, 1, 0x78]),
            },
          );
        expect(call('GetProduct').status).toBe(status.permissionDenied);
        project.declare({ neighbors: true });
        const { code, stdout } = await project.up('--prove');
        expect(code).toBe(0);
        expect(stdout).toMatch(
          /orders in east gets to [^:]*team-a\/ledger[^:]*: .*team-a\/ledger of others answers/,
        );
        // The service itself says so.
        await eventually('a call of others', status.notFound, () => call('GetProduct'));
        expect(call('ListProducts').status).toBe(status.permissionDenied);
        expect(differences(before, await takeSnapshot())).toEqual([]);
      },
      15 * minute,
    );

    test(
      'down takes away what up made; all of others is byte for byte as before, and no call was lost',
      expectDown,
      10 * minute,
    );
  });

  describe('an edge at their gateways, which serve a host of theirs', () => {
    const client = (sub: string) => ({ host: joinedHost, headers: bearer(token({ sub })) });

    beforeAll(async () => {
      await configureIstio({ pathNormalization: { normalization: 'MERGE_SLASHES' } });
      serveTheirHost();
      for (const cluster of clusters) {
        readAddress(cluster, front);
        await askUntil(cluster, '/', 200, { host: theirHost }, 8);
      }
      const ingress = Object.fromEntries(
        clusters.map((name) => [
          `${theirHost} in ${name}`,
          { url: `http://${addressOf(name)}/`, host: theirHost, perSecond: 5 },
        ]),
      );
      load = await startLoad({ clusters, caller, flows, ingress });
      before = await takeSnapshot();
    }, 10 * minute);

    test(
      'is refused with a host that they serve',
      async () => {
        project.declare({ joins: true, host: theirHost });
        const { code, stderr } = await project.up();
        expect(code).toBe(2);
        for (const cluster of clusters)
          expect(stderr).toContain(
            `${cluster}: Gateway boutique/edge: others serve its host ${theirHost} at the gateways that it joins: which of the two gets a request is Istio's choice, by age; received "Gateway others/others, VirtualService others/others"; fix: declare another host in hosts of the edge, or have its owners give that one up`,
          );
      },
      2 * minute,
    );

    test(
      'is brought up and proved, and changes nothing of theirs',
      async () => {
        project.declare({ joins: true });
        expect(await project.up('--prove')).toMatchObject({ code: 0 });
        expect(differences(before, await takeSnapshot())).toEqual([]);
      },
      15 * minute,
    );

    test.each(clusters)(
      'takes requests by them in %s, with a token and up to its limit, and no others',
      async (cluster) => {
        const path = '/v1/products';
        const answer = await askUntil(cluster, path, 200, client('reader'));
        expect(JSON.parse(answer.body)).toHaveProperty('products');
        const forbidden = { status: 403, body: 'RBAC: access denied' };
        expect(await ask(cluster, path, { host: joinedHost })).toMatchObject(forbidden);
        expect(await ask(cluster, '/v1/nothing', client('reader'))).toMatchObject(forbidden);
        const forged = bearer(token({}, theirKeys.privateKey));
        expect(await ask(cluster, path, { host: joinedHost, headers: forged })).toMatchObject({
          status: 401,
        });
        const codes = inOrder(await burst(listsAtOnce * 4, () => ask(cluster, path, client('eager'))));
        expect([...new Set(codes)].sort()).toEqual([200, 429]);
        expect(codes.filter((code) => code === 200).length).toBeGreaterThanOrEqual(listsAtOnce);
        expect(await ask(cluster, path, client('patient'))).toMatchObject({ status: 200 });
        expect(await ask(cluster, '/', { host: theirHost })).toMatchObject({ status: 200 });
      },
      3 * minute,
    );

    test('is taken away; their host went on, and no call was lost', expectDown, 10 * minute);
  });
});
