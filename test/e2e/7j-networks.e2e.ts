import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { GrpcService, lab, Mesh } from '../../charts/index.ts';
import { eastWestGateway } from '../../charts/constructs/scope/names.ts';
import { waitFor } from '../../core/wait.ts';
import { removeMesh } from '../../infra/apply/remove.ts';
import { collectStatus, isHealthy } from '../../infra/status/mesh-status.ts';
import { problemOf } from '../../infra/testing/problems.ts';
import { planAddresses } from '../../lab/addresses.ts';
import { routePods } from '../../lab/pod-routes.ts';
import { readLabRecord } from '../../lab/state.ts';
import { thisWorkspace } from '../../cli/workspace/workspace.ts';
import { callMany, status as code } from './calls/call.ts';
import { echoIn } from './calls/echo.ts';
import { root, stateDir } from './checkout/cli.ts';
import { apps } from './checkout/lab-mesh.ts';
import { InventoryService } from './checkout/sample.ts';
import { ensureLab, kubeconfig, kubectl } from './checkout/lab.ts';
import { everything } from './everything.ts';
import { callIn, caller, loadIn, loadMesh, type Flow } from './load/load-mesh.ts';
import { startLoad } from './load/steady-load.ts';
import { applyVariant } from './checkout/variant.ts';

const minute = 60_000;
const both = ['east', 'west'] as const;
const places = {
  east: { region: 'us-east1', zone: 'us-east1-b' },
  west: { region: 'us-west1', zone: 'us-west1-a' },
};
const accessTo = (clusters: readonly string[]) =>
  Object.fromEntries(clusters.map((name) => [name, { kubeconfig, context: name }]));
const report = (line: string) => process.stderr.write(`${line}\n`);

/** Clusters on these networks, in each a service `answers-CLUSTER` that `load`, in the east, may call. */
function meshOn(networks: Readonly<Partial<Record<'east' | 'west', string>>>): Mesh<string> {
  const clusters = Object.fromEntries(
    Object.entries(networks).map(([name, network]) => [
      name,
      { network, ...places[name as keyof typeof places] },
    ]),
  );
  const mesh = new Mesh<string>('shop', { root, trustDomain: 'shop.example', clusters, platform: lab });
  const shop = mesh.namespace(caller.namespace);
  const load = new GrpcService(shop, caller.name, { ...apps.inventory, placement: ['east'] });
  for (const { name } of mesh.clusters) {
    const answers = new GrpcService(shop, `answers-${name}`, { ...apps.inventory, placement: [name] });
    load.calls(answers.method.getStock);
  }
  return mesh;
}
const path = `/${InventoryService.typeName}/GetStock`;
const hostOf = (cluster: string) => `answers-${cluster}.${caller.namespace}.svc.cluster.local`;
/** The same in every step, so that the pods of the load stay. */
const flows: readonly Flow[] = [
  { name: 'within', from: 'east', url: `http://${hostOf('east')}:50051`, path },
];
const apply = (mesh: Mesh<string>) => {
  const [echo, call] = [echoIn(caller.namespace), callIn(flows)];
  return applyVariant(mesh, {
    change: (object) => (object.metadata.name === caller.name ? call(object) : echo(object)),
  });
};
const remove = () =>
  removeMesh(loadMesh().model(), {
    access: accessTo(both),
    trustDir: thisWorkspace().trustDir,
    report,
  });

/** Whether status is healthy, as its exit code says. */
async function healthy(mesh: Mesh<string>): Promise<boolean> {
  const model = mesh.model();
  const access = accessTo(model.clusters.map(({ name }) => name));
  const probe = () => Promise.resolve({ ok: null, checked: new Date().toISOString() });
  return isHealthy(await collectStatus(model, { engine: 'apply', access, probe }));
}

/** 50 calls from the east to a cluster's service, which all have to be answered there. */
function expectCalls(to: string): void {
  const { namespace, name, container } = caller;
  const answers = callMany(
    { cluster: 'east', namespace, target: `deployment/${name}`, container },
    { address: `${hostOf(to)}:50051`, path, count: 50 },
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([code.ok]));
  expect(answers.every(({ servedBy }) => servedBy.startsWith(`${to}/`))).toBe(true);
}

/** The addresses that the caller's proxy has for a cluster's service: `ADDRESS:PORT`. */
function endpointsOf(to: string): readonly string[] {
  const proxy = ['-n', caller.namespace, 'exec', `deployment/${caller.name}`, '-c', 'istio-proxy', '--'];
  const said = kubectl('east', ...proxy, 'pilot-agent', 'request', 'GET', 'clusters');
  const lines = said.split('\n').filter((line) => line.startsWith(`outbound|50051||${hostOf(to)}::`));
  return [...new Set(lines.flatMap((line) => /::([\d.]+:\d+)::cx_active::/.exec(line)?.[1] ?? []))].sort();
}

/** Awaits that the caller's proxy knows a cluster's service by one address alone. */
function awaitEndpoint(to: string, address: string): Promise<boolean> {
  return waitFor({ what: `east to know ${hostOf(to)} at ${address}`, timeoutMs: minute }, () => {
    const known = endpointsOf(to).join(' ');
    return known === address ? { done: true, value: true } : { done: false, because: `it knows ${known}` };
  });
}

const namespacesOf = (cluster: string) => kubectl(cluster, 'get', 'namespaces', '-o', 'name');
const jsonPath = (cluster: string, what: readonly string[], of: string) =>
  kubectl(cluster, ...what, '-o', `jsonpath={${of}}`);
const podIp = (cluster: string) =>
  jsonPath(
    cluster,
    ['-n', caller.namespace, 'get', 'pods', '-l', `app.kubernetes.io/name=answers-${cluster}`],
    '.items[0].status.podIP',
  );

// It brings a mesh up three times.
(everything ? describe : describe.skip)('networks', () => {
  beforeAll(async () => {
    await ensureLab();
    await remove();
  }, 60 * minute);
  afterAll(async () => {
    await route({ east: 'net-east', west: 'net-west' });
    await remove();
    // What the suites after this one expect.
    await applyVariant(loadMesh(), { change: loadIn(both) });
  }, 15 * minute);

  const route = (networks: Readonly<Record<string, string>>) =>
    routePods(planAddresses(readLabRecord(stateDir)!.subnet, both), networks);
  const alone = meshOn({ east: 'net-east' });
  const apart = meshOn({ east: 'net-east', west: 'net-west' });
  const flat = meshOn({ east: 'net-flat', west: 'net-flat' });

  test(
    'one cluster comes up, answers, is healthy, and has no gateway to other networks',
    async () => {
      await apply(alone);
      expectCalls('east');
      expect(await healthy(alone)).toBe(true);
      expect(namespacesOf('east')).not.toContain(eastWestGateway.namespace);
      expect(namespacesOf('west')).not.toContain('istio-system');
    },
    15 * minute,
  );

  test(
    'a second cluster on another network is added under load without a failed call, and is reached through its gateway',
    async () => {
      const load = await startLoad({ clusters: ['east'], flows });
      await apply(apart);
      const { namespace, name } = eastWestGateway;
      const service = ['-n', namespace, 'get', 'service', name];
      const address = jsonPath('west', service, '.status.loadBalancer.ingress[0].ip');
      await awaitEndpoint('west', `${address}:15443`);
      expectCalls('west');
      expect(await load.stop()).toMatchObject({ failed: 0 });
      expect(await healthy(apart)).toBe(true);
    },
    15 * minute,
  );

  describe('two clusters on one network', () => {
    beforeAll(() => remove(), 15 * minute);

    test(
      'whose pods do not reach each other are told of',
      async () => {
        const { exitCode, message } = await problemOf(apply(flat));
        expect(exitCode).toBe(1);
        const told = (from: string, to: string) =>
          `from ${from} to ${to}, both on network net-flat: pods: not reached from inside ${from} within 30 s: no route to host; received ADDRESS; ` +
          'fix: let pods of the two clusters connect to each other by their own addresses (routes, firewalls), ' +
          'or declare networks of other names: between those, calls pass through east-west gateways; then run the command again';
        const lines = message.split('\n').map((line) => line.replace(/received "[^"]*"/, 'received ADDRESS'));
        // The first may end the work before the other one is told of.
        expect(lines.length).toBeGreaterThan(0);
        expect([told('east', 'west'), told('west', 'east')]).toEqual(expect.arrayContaining(lines));
      },
      15 * minute,
    );

    test(
      'need no gateway between them: calls go to the pods',
      async () => {
        await route({ east: 'net-flat', west: 'net-flat' });
        await apply(flat);
        for (const cluster of both) expect(namespacesOf(cluster)).not.toContain(eastWestGateway.namespace);
        await awaitEndpoint('west', `${podIp('west')}:50051`);
        expectCalls('west');
        expectCalls('east');
        expect(await healthy(flat)).toBe(true);
      },
      15 * minute,
    );
  });
});
