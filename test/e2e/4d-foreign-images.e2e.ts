// gRPC's own server in Go and one in Python, as their libraries make them and in images that our builder has no part in, declared by
// the references of those images: they know nothing of Kubernetes, and stop at once when they are told to end.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { thisWorkspace } from '../../cli/workspace/workspace.ts';
import { writeOciArchive } from '../peers/oci-archive.ts';
import { ensureInterop } from '../peers/interop.ts';
import { writePythonServer } from '../peers/python-server.ts';
import { callOnce, eventually, status as code, type Caller } from './calls/call.ts';
import type { Cluster } from './checkout/lab-mesh.ts';
import { ensureLab, kubectl } from './checkout/lab.ts';
import { everything } from './everything.ts';
import { startLoad } from './load/steady-load.ts';
import {
  agent,
  address,
  awaitPods,
  awaitRollout,
  beginCalls,
  caller,
  emptyCall,
  flows,
  foreignImagesProject,
  image,
  policy,
  pythonImage,
  server,
  serverPods,
  servers,
  viewer,
  workloadIdentity,
} from './meshes/foreign-images.ts';

const minute = 60_000;
const clusters = ['east', 'west'] as const;
jest.setTimeout(10 * minute);

const project = foreignImagesProject();
const unimplemented = '/grpc.testing.UnimplementedService/UnimplementedCall';
let refusal: Awaited<ReturnType<typeof project.run>>;
let brought: Awaited<ReturnType<typeof project.run>>;

beforeAll(async () => {
  const options = { ...thisWorkspace(), report: () => undefined };
  const programs = await ensureInterop(options);
  await ensureLab();
  const archive = join(project.folder, 'interop.tar');
  await writeOciArchive(
    archive,
    { server: programs['interop-server'], client: programs['interop-client'] },
    1000,
  );
  await writePythonServer(join(project.folder, 'python.tar'), options);
  project.bring({ [pythonImage]: 'python.tar' });
  refusal = await project.run('up', '--engine', 'apply');
  project.bring({ [image]: 'interop.tar', [pythonImage]: 'python.tar' });
  brought = await project.run('up', '--engine', 'apply');
}, 60 * minute);

afterAll(() => {
  project.remove();
});

test('the lab, which pulls nothing, says at once which archive is missing', () => {
  expect(refusal.code).toBe(2);
  expect(refusal.stderr).toContain(
    `image ${image}: is built elsewhere, and the lab pulls no images; fix: add its archive to meshwright:labImages of Pulumi.lab.yaml, ` +
      `'${image}': FILE, as \`docker save\` or \`skopeo copy docker://${image} oci-archive:FILE\` writes one\n`,
  );
});

test('up brings it up, and proves by calls that its callers get there; status finds it healthy', async () => {
  expect(brought.code).toBe(0);
  for (const cluster of clusters)
    expect(brought.stdout).toContain(`load in ${cluster} gets to ${servers.join(' and ')}`);
  expect(await project.run('status')).toMatchObject({ code: 0 });
});

test('its pods wait before they are told to end, and run what the image is', () => {
  for (const cluster of clusters) {
    const [pod] = serverPods(cluster);
    const { spec, status } = JSON.parse(kubectl(cluster, '-n', 'shop', 'get', 'pod', pod!, '-o', 'json')) as {
      spec: { containers: { name: string; image: string; lifecycle?: unknown }[] };
      status: { containerStatuses: { name: string; restartCount: number }[] };
    };
    expect(spec.containers.find(({ name }) => name === server)).toMatchObject({
      image,
      lifecycle: { preStop: { sleep: { seconds: 10 } } },
    });
    expect(status.containerStatuses.find(({ name }) => name === server)?.restartCount).toBe(0);
  }
});

describe('what is said of pods', () => {
  /** What a program in the pod's own container sees. */
  const look = `
    const { readFileSync } = require('node:fs');
    const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
    const get = (path) => new Promise((resolve, reject) => {
      const headers = { authorization: 'Bearer ' + readFileSync(folder + '/token', 'utf8') };
      const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
      require('node:https').get({ host, port, path, headers, ca: readFileSync(folder + '/ca.crt') }, (answer) => {
        let text = '';
        answer.on('data', (part) => { text += part; }).on('end', () => resolve([answer.statusCode, text]));
      }).on('error', reject);
    });
    (async () => {
      const [pods, list] = await get('/api/v1/namespaces/shop/pods');
      const [secrets] = await get('/api/v1/namespaces/shop/secrets');
      const helper = await (await fetch('http://127.0.0.1:9100/')).text();
      const { WHERE, ONLY } = process.env;
      const read = (path) => readFileSync(path, 'utf8');
      console.log(JSON.stringify({
        ...{ WHERE, ONLY, pods, secrets, helper },
        kind: JSON.parse(list).kind,
        prepared: read('/scratch/prepared'),
        rules: read('/etc/rules/rules.txt'),
        tier: read('/run/about/tier'),
        hosts: read('/etc/hosts').includes('ledger.bank.example'),
      }));
    })();`;
  const exec = (cluster: Cluster, container: string, ...command: readonly string[]) =>
    kubectl(cluster, '-n', 'shop', 'exec', `deployment/${viewer}`, '-c', container, '--', ...command);

  test.each(clusters)('is what they have, in %s', (cluster) => {
    const seen: unknown = JSON.parse(exec(cluster, 'inventory', '/usr/bin/node', '-e', look));
    const [node] = kubectl(cluster, 'get', 'nodes', '-o', 'jsonpath={.items[*].metadata.name}').split(' ');
    expect(seen).toEqual({
      ...(cluster === 'east' ? { WHERE: 'the east' } : { WHERE: 'the west', ONLY: 'here' }),
      // Its Role lets it list pods, and nothing else.
      ...{ pods: 200, kind: 'PodList', secrets: 403 },
      // Of the container before it, which called the server through the proxy, and of the one beside it.
      ...{ prepared: node, helper: '96' },
      ...{ rules: 'allow carts', tier: 'front', hosts: true },
    });
  });

  test('has the priority of an object of one’s own, which was there before them', () => {
    const priority = [
      'get',
      'pods',
      '-l',
      `app.kubernetes.io/name=${viewer}`,
      '-o',
      'jsonpath={.items[0].spec.priority}',
    ];
    for (const cluster of clusters) expect(kubectl(cluster, '-n', 'shop', ...priority)).toBe('1000');
  });

  test('has a service account that a cloud knows, and a NetworkPolicy beside it', () => {
    const get = (cluster: Cluster, kind: string, name: string) =>
      JSON.parse(kubectl(cluster, '-n', 'shop', 'get', kind, name, '-o', 'json')) as unknown;
    for (const cluster of clusters) {
      expect(get(cluster, 'serviceaccount', viewer)).toMatchObject({
        metadata: { annotations: { [workloadIdentity]: 'viewer' } },
      });
      expect(get(cluster, 'networkpolicy', policy)).toMatchObject({ spec: { policyTypes: ['Ingress'] } });
    }
  });

  test('may undo a guarantee by a patch with a reason, in a namespace whose level lets it', () => {
    const program = `
      const { readFileSync } = require('node:fs');
      console.log(JSON.stringify([process.getuid(), /ndots:2/.test(readFileSync('/etc/resolv.conf', 'utf8'))]));`;
    const command = ['exec', `deployment/${agent}`, '-c', 'inventory', '--', '/usr/bin/node', '-e', program];
    expect(JSON.parse(kubectl('east', '-n', 'agents', ...command))).toEqual([0, true]);
    const noted = (kind: string, name: string) =>
      (
        JSON.parse(kubectl('east', '-n', 'agents', 'get', kind, name, '-o', 'json')) as {
          metadata: { annotations: Readonly<Record<string, string>> };
        }
      ).metadata.annotations;
    expect(noted('deployment', agent)).toMatchObject({
      'meshwright/accept-no-node-access': 'it reads files of root',
    });
    expect(noted('namespace', 'agents')).toMatchObject({
      'meshwright/accept-pod-security': 'the agent runs as root',
    });
  });

  test('does not give the token to the containers beside', () => {
    const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
    const list = `console.log(require('node:fs').existsSync('${folder}'))`;
    expect(exec('east', 'inventory', '/usr/bin/node', '-e', list).trim()).toBe('true');
    expect(exec('east', 'helper', '/usr/bin/node', '-e', list).trim()).toBe('false');
  });
});

describe('access', () => {
  const at = (cluster: Cluster, name: string): Caller => ({
    ...{ cluster, namespace: 'shop', target: `deployment/${name}`, container: caller.container },
  });
  const call = (from: Caller, path: string) => callOnce(from, { address, path });

  test('each caller gets to what it was granted of both services, through the port of the Service', async () => {
    for (const cluster of clusters)
      await eventually(`${cluster} calls`, code.ok, () => call(at(cluster, 'load'), emptyCall));
    // Let through, and answered by the server itself.
    await eventually('what no server has', code.unimplemented, () =>
      call(at('west', 'stranger'), unimplemented),
    );
  });

  test('a caller without the grant is refused by its proxy', async () => {
    const denied = { status: code.permissionDenied, message: 'RBAC: access denied' };
    await eventually('a stranger', code.permissionDenied, () => call(at('west', 'stranger'), emptyCall));
    expect(call(at('west', 'stranger'), emptyCall)).toMatchObject(denied);
    for (const cluster of clusters) {
      expect(call(at(cluster, 'load'), '/grpc.testing.TestService/UnaryCall')).toMatchObject(denied);
      expect(call(at(cluster, 'load'), unimplemented)).toMatchObject(denied);
    }
  });
});

describe('under load', () => {
  beforeAll(() => {
    for (const cluster of clusters) beginCalls(cluster);
    for (const cluster of clusters) awaitRollout(cluster, caller.name);
  });

  /** Does the work, as often as it takes to have made enough calls, and expects that none was lost. */
  async function losesNone(what: string, work: () => Promise<void>): Promise<void> {
    const least = everything ? 5_000 : 500;
    const perSecond = flows.reduce((sum, { to, perSecond: rate = 0 }) => sum + (to === server ? rate : 0), 0);
    const load = await startLoad({ clusters, caller, flows });
    const end = Date.now() + (1_000 * least * 1.1) / perSecond;
    let times = 0;
    const working = (async () => {
      do {
        await work();
        times += 1;
      } while (Date.now() < end);
    })();
    await working.catch(() => undefined);
    const { failures, failed, flows: seen, byStatus } = await load.stop();
    await working;
    const calls = servers.map((to) =>
      flows.filter((flow) => flow.to === to).reduce((sum, { name }) => sum + seen[name]!.calls, 0),
    );
    process.stderr.write(
      `${what}, ${times} times: ${JSON.stringify({ servers, calls, failed, byStatus })}\n`,
    );
    expect({ failures, failed }).toEqual({ failures: [], failed: 0 });
    for (const each of calls) expect(each).toBeGreaterThanOrEqual(least);
  }

  test('a rolling restart in both clusters loses no call', () =>
    losesNone('rolling restart', async () => {
      for (const cluster of clusters)
        kubectl(cluster, '-n', 'shop', 'rollout', 'restart', ...servers.map((name) => `deployment/${name}`));
      for (const cluster of clusters) for (const name of servers) await awaitPods(cluster, name, 1);
    }));

  // Two minutes each: CI has the rolling restart.
  const long = everything ? test : test.skip;

  long(
    'an eviction in a cluster that has no room for another pod loses no call: the other cluster serves',
    () =>
      losesNone('eviction', async () => {
        const [node] = kubectl('east', 'get', 'nodes', '-o', 'name').trim().split('\n');
        kubectl('east', 'cordon', node!.replace('node/', ''));
        try {
          const pods = servers.map((name) => serverPods('east', name)[0]!);
          for (const name of pods) {
            const eviction = {
              apiVersion: 'policy/v1',
              kind: 'Eviction',
              metadata: { name, namespace: 'shop' },
            };
            kubectl('east', 'create', '--raw', `/api/v1/namespaces/shop/pods/${name}/eviction`, '-f', '-', {
              input: JSON.stringify(eviction),
            });
          }
          const gone = pods.map((name) => `pod/${name}`);
          kubectl('east', '-n', 'shop', 'wait', '--for=delete', ...gone, '--timeout=60s');
          const ready = `jsonpath={.status.readyReplicas}`;
          for (const name of servers)
            expect(kubectl('east', '-n', 'shop', 'get', `deployment/${name}`, '-o', ready)).toBe('');
        } finally {
          kubectl('east', 'uncordon', node!.replace('node/', ''));
        }
        for (const name of servers) await awaitPods('east', name, 1);
      }),
  );

  long('scaling down, to less and to none, loses no call', () =>
    losesNone('scale-down', async () => {
      for (const replicas of [2, 1, 0, 1]) {
        const deployments = servers.map((name) => `deployment/${name}`);
        kubectl('west', '-n', 'shop', 'scale', ...deployments, `--replicas=${replicas}`);
        for (const name of servers) await awaitPods('west', name, replicas);
      }
    }),
  );
});
