import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { grantAccess } from './remote-access.ts';
import { settleRemotes } from './remote-sync.ts';
import { addControlPlane, addRemoteReader } from '../testing/control-plane.ts';
import type { ControlPlane } from '../testing/control-plane.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { problemOf } from '../testing/problems.ts';

let apis: Readonly<Record<'east' | 'west' | 'north', KubeApi>>;
let east: ControlPlane;
let west: ControlPlane;
let lines: string[];
const report = (line: string) => lines.push(line);

beforeAll(async () => {
  const [one, two, three] = await Promise.all(['east', 'west', 'north'].map((name) => KubeApi.start(name)));
  apis = { east: one!, west: two!, north: three! };
});
afterAll(() => Promise.all(Object.values(apis).map((api) => api.stop())));
beforeEach(async () => {
  for (const api of Object.values(apis)) {
    api.objects.clear();
    api.requests.length = 0;
  }
  lines = [];
  east = addControlPlane(apis.east);
  west = addControlPlane(apis.west);
  addControlPlane(apis.north);
  for (const remote of [apis.west, apis.north]) {
    addRemoteReader(remote);
    await open(remote);
  }
  lines = [];
});

async function open(remote: KubeApi, server = remote.client.server, generation = 1) {
  const settings = { generation, tokenDays: 30 };
  const common = { mesh: 'shop', namespace: 'istio-system', report };
  const secret = await grantAccess({
    ...common,
    reader: apis.east.client,
    remote: remote.client,
    server,
    settings,
  });
  apis.east.put({ ...secret, metadata: { ...secret.metadata } });
}
const settle = (timeoutMs = 300, writtenAt = 0) =>
  settleRemotes({
    mesh: 'shop',
    namespace: 'istio-system',
    reader: apis.east.client,
    remotes: [apis.west.client, apis.north.client],
    writtenAt,
    report,
    limits: { remoteCluster: timeoutMs, remoteSecretTaken: 300 },
  });
const bindingsIn = (api: KubeApi) =>
  [...api.objects.keys()].filter((path) => path.includes('/secrets/istio-remote-reader-'));

describe('settleRemotes', () => {
  test('is quiet when every istiod is synced, and revokes what was replaced', async () => {
    await open(apis.west, undefined, 2);
    expect(bindingsIn(apis.west)).toHaveLength(2);
    lines = [];
    await settle();
    expect(lines).toEqual(["west: revoked east's older tokens (1)"]);
    expect(bindingsIn(apis.west)).toHaveLength(1);
  });

  test('believes nothing right after a secret was written', async () => {
    const started = Date.now();
    await settle(10_000, started);
    expect(Date.now() - started).toBeGreaterThanOrEqual(300);
    expect(lines).toEqual([]);
  });

  test('keeps the old token while an istiod is not synced with the new one', async () => {
    await open(apis.west, undefined, 2);
    east.status['west'] = 'timeout';
    await problemOf(settle());
    expect(bindingsIn(apis.west)).toHaveLength(2);
  });
});

describe('names the cluster that is not read, why, and what to do', () => {
  const of = (cluster: string) => `east: remote secret istio-system/istio-remote-secret-${cluster}: `;
  const again = 'then run the command again';

  test('a token that is refused', async () => {
    east.status['west'] = 'timeout';
    east.log = '2026\terror\twatch error in cluster west: failed to list *v1.Pod: Unauthorized';
    const { server } = apis.west.client;
    const judge = apis.west.intervene;
    apis.west.intervene = (request) =>
      request.path === '/api/v1/namespaces'
        ? { status: 401, body: { message: 'Unauthorized' } }
        : judge(request);
    expect(await problemOf(settle())).toEqual({
      exitCode: 1,
      message:
        `${of('west')}east's control plane does not read the API server of west after 0 s: istiod-1 reports timeout; ` +
        `its log: failed to list *v1.Pod: Unauthorized; from here, ${server} refuses the token: Unauthorized (401); ` +
        `fix: check that ${server} is the API server of west (clusters.west.apiServer in the stack file), ${again}: it replaces a refused token`,
    });
  });

  test('a role that was taken away', async () => {
    east.status['west'] = 'timeout';
    east.log =
      '2026\terror\twatch error in cluster west: failed to list *v1.Node: nodes is forbidden: User "system:serviceaccount:istio-system:istio-remote-reader" cannot list resource "nodes"';
    expect((await problemOf(settle())).message).toBe(
      `${of('west')}east's control plane does not read the API server of west after 0 s: istiod-1 reports timeout; ` +
        'its log: failed to list *v1.Node: nodes is forbidden: User "system:serviceaccount:istio-system:istio-remote-reader" cannot list resource "nodes"; ' +
        `from here, ${apis.west.client.server} accepts the same token; ` +
        `fix: restore the permissions that stage 10-control-plane grants ServiceAccount istio-remote-reader in west, ${again}`,
    );
  });

  test('an address where nobody answers', async () => {
    const server = 'https://127.0.0.1:9';
    await open(apis.west, server);
    east.status['west'] = 'syncing';
    expect((await problemOf(settle())).message).toBe(
      `${of('west')}east's control plane does not read the API server of west after 0 s: istiod-1 reports syncing; ` +
        `from here, ${server} cannot be reached: connect ECONNREFUSED 127.0.0.1:9; ` +
        `fix: let the pods of east reach ${server}, or set clusters.west.apiServer in the stack file to an address that they can reach, ${again}`,
    );
  });

  test('a certificate of somebody else, in two clusters at once', async () => {
    const [server, other] = [apis.north.client.server, apis.west.client.server];
    await open(apis.west, server);
    await open(apis.north, other);
    east.status['west'] = east.status['north'] = 'timeout';
    const { message, exitCode } = await problemOf(settle());
    expect(exitCode).toBe(1);
    const line = (cluster: string, asked: string) =>
      `${of(cluster)}east's control plane does not read the API server of ${cluster} after 0 s: istiod-1 reports timeout; ` +
      `from here, ${asked} cannot be reached: self-signed certificate; ` +
      `fix: put the CA of ${asked} into ${cluster}'s kubeconfig, or set clusters.${cluster}.apiServer in the stack file to an address that its certificate covers, ${again}`;
    expect(message).toBe([line('west', server), line('north', other)].join('\n'));
  });

  test('an istiod that cannot be asked, and none at all', async () => {
    east.failure = 'exec is off';
    const { server } = apis.west.client;
    expect((await problemOf(settle())).message.split('\n')[0]).toBe(
      `${of('west')}east's control plane does not read the API server of west after 0 s: istiod-1 reports nothing (\`pilot-discovery request GET /debug/clusterz\`: exec is off); ` +
        `from here, ${server} accepts the same token; ` +
        `fix: check that east has a ready istiod, and that you may run commands in its pods (pods/exec), ${again}`,
    );
    apis.east.objects.delete('/api/v1/namespaces/istio-system/pods/istiod-1');
    expect((await problemOf(settle())).message).toContain(
      'does not read the API server of west after 0 s: no istiod is ready;',
    );
  });

  test('puts no token into what it tells', async () => {
    east.status['west'] = 'timeout';
    const { message } = await problemOf(settle());
    expect(west.tokens).toHaveLength(1);
    expect(`${message}${lines.join('')}`).not.toContain('e30.');
  });
});
