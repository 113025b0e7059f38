import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { waitFor } from '../../core/wait.ts';
import { synthMesh } from '../../cli/workspace/synth-mesh.ts';
import { removeMesh } from '../../infra/apply/remove.ts';
import { callOnce, eventually, status } from './calls/call.ts';
import { stateDir, npm, root } from './checkout/cli.ts';
import { expectNoMesh } from './checkout/contexts.ts';
import { ensureLab, kubeconfig, kubectl } from './checkout/lab.ts';
import { everything } from './everything.ts';
import { clusters, giveRemoteSecret, installIstio, removeIstio, tag } from './foreign/istio.ts';
import { foreignProject, type Declared } from './foreign/project.ts';
import { differences, takeSnapshot, type Snapshot } from './foreign/snapshot.ts';
import { caller, deployTheirs, flows, removeTheirs, shared, theirs } from './foreign/workloads.ts';
import { startLoad, type LoadResult, type SteadyLoad } from './load/steady-load.ts';

const minute = 60_000;
const project = foreignProject();
let before: Snapshot;
let load: SteadyLoad | undefined;

const startTheirs = () => startLoad({ clusters, caller, flows });
const expectAll = (result: LoadResult) => {
  process.stderr.write(`calls of others: ${JSON.stringify(result)}\n`);
  expect(result.failures).toEqual([]);
  expect(result.failed).toBe(0);
  expect(result.calls).toBeGreaterThan(0);
};

// It installs an Istio in both clusters, and takes nine minutes.
(everything ? describe : describe.skip)('on an Istio of others', () => {
  beforeAll(async () => {
    await ensureLab();
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
    const everywhere = (line: (cluster: string) => string) => clusters.map(line).join('\n');

    test.each<readonly [string, Declared, string]>([
      [
        'a revision that is none',
        { revision: 'canary' },
        everywhere(
          (name) =>
            `${name}: Istio: no injector has the declared revision or tag: pods would start without a proxy; received "canary"; allowed 1-31-others, default, ${tag}; fix: declare one of these in existing({ istio: { revision } })`,
        ),
      ],
      [
        'another trust domain',
        { trustDomain: 'shop.example' },
        everywhere(
          (name) =>
            `${name}: Istio: has another trust domain than the mesh declares: policies would name identities that nobody has, and every call would be refused; received "cluster.local"; allowed shop.example; fix: declare trustDomain: 'cluster.local'`,
        ),
      ],
      [
        'another network',
        { network: 'net-east' },
        'east: Istio: has its pods in another network than the mesh declares: calls between clusters would be sent to addresses that lead nowhere; received "vpc-east"; allowed net-east; fix: declare network: \'vpc-east\' for cluster east',
      ],
      [
        'a shared namespace that is not there',
        { sharedNamespace: 'team-b' },
        everywhere(
          (name) =>
            `${name}: Namespace team-b: does not exist, and is declared as shared: the mesh does not make it; fix: have its owners create it, or declare mesh.namespace('team-b') without shared`,
        ),
      ],
      [
        'an object of theirs with the name of ours',
        { stock: 'ledger' },
        `west: Service ${shared}/ledger: exists already in a namespace that the mesh shares, and belongs to others: the mesh would overwrite it; fix: declare another name`,
      ],
      [
        'a namespace of theirs that is declared as ours',
        { namespace: theirs },
        `east: Namespace ${theirs}: exists already, and meshwright did not create it; fix: declare another name, or share it with those who have it, mesh.namespace('${theirs}', { shared: true })`,
      ],
      [
        'gateways of theirs that are not there',
        { joins: true, ingressService: 'frontdoor' },
        everywhere(
          (name) =>
            `${name}: platform.ingress.service: there is no Service gateways-of-others/frontdoor: edges would have no address; fix: name that of the gateways in existing({ ingress: { namespace, service } })`,
        ),
      ],
      [
        'paths that their gateways do not normalize',
        { joins: true },
        everywhere(
          (name) =>
            `${name}: Istio: normalizes paths less than edges at gateways of others need: a path with // is another one for the policies of edges than for the services behind them; received "BASE"; allowed MERGE_SLASHES, DECODE_AND_MERGE_SLASHES; fix: have its owners set meshConfig.pathNormalization.normalization: MERGE_SLASHES`,
        ),
      ],
    ])(
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
      load = await startTheirs();
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
      'a changed service is rolled out, and nothing else is touched',
      async () => {
        project.configure('catalog', { replicas: 2 });
        const { code, stdout } = await project.up();
        expect(code).toBe(0);
        expect(stdout).toMatch(/^\d+ created, 2 changed, 0 deleted, \d+ unchanged/m);
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
      async () => {
        const { code } = await project.run('down');
        const stopped = await load!.stop();
        load = undefined;
        expectAll(stopped);
        expect(code).toBe(0);
        // What Kubernetes made of ours, such as pods, goes in its own time.
        await waitFor(
          { what: 'nothing but what others had', timeoutMs: minute, intervalMs: 2_000 },
          async () => {
            const [first] = differences(before, await takeSnapshot(), true);
            return first === undefined ? { done: true, value: true } : { done: false, because: first };
          },
        );
      },
      10 * minute,
    );
  });
});
