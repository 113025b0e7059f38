import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { request } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { problemOf } from '../../infra/testing/problems.ts';
import { waitFor } from '../../core/wait.ts';
import { ensureLab, kubeconfig, kubectl } from './checkout/lab.ts';
import { caller, loadIn, loadMesh } from './load/load-mesh.ts';
import { startLoad } from './load/steady-load.ts';
import { applyVariant, type VariantOptions } from './checkout/variant.ts';

const minute = 60_000;
const clusters = ['east', 'west'] as const;
type Name = (typeof clusters)[number];
const otherOf = { east: 'west', west: 'east' } as const;

const apply = (stack: VariantOptions['stack'] = {}) =>
  applyVariant(loadMesh(), { change: loadIn(clusters), stack });
const rotated = { remoteAccess: { generation: 2, tokenDays: 7 } } as const;

beforeAll(async () => {
  await ensureLab();
  await apply();
}, 60 * minute);
// The suites after this one declare the first generation again.
afterAll(async () => {
  await apply();
}, 15 * minute);

/** The kubeconfig by which a cluster's control plane reads another one. */
function remoteKubeconfig(reader: Name): KubeConfig {
  const of = otherOf[reader];
  const secret = ['-n', 'istio-system', 'get', 'secret', `istio-remote-secret-${of}`, '-o', 'json'];
  const { data } = JSON.parse(kubectl(reader, ...secret)) as {
    readonly data: Readonly<Record<string, string>>;
  };
  const config = new KubeConfig();
  config.loadFromString(Buffer.from(data[of]!, 'base64').toString('utf8'));
  return config;
}

/** What the API server answers to who has this access, as a status. */
function answerTo(config: KubeConfig, method: string, path: string): Promise<number> {
  const cluster = config.getCurrentCluster()!;
  const options = {
    method,
    ca: Buffer.from(cluster.caData!, 'base64'),
    headers: {
      authorization: `Bearer ${config.getCurrentUser()!.token!}`,
      'content-type': 'application/json',
    },
  };
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, cluster.server), options, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject);
    sent.end(method === 'POST' ? '{}' : undefined);
  });
}

describe.each(clusters)('what the control plane of %s may do in the other cluster', (reader) => {
  test.each([
    ['GET', '/apis/discovery.k8s.io/v1/endpointslices', 200],
    ['GET', '/api/v1/pods', 200],
    ['GET', '/api/v1/namespaces/istio-system/configmaps', 200],
    ['GET', '/api/v1/configmaps', 403],
    ['GET', '/api/v1/namespaces/shop/configmaps', 403],
    ['GET', '/api/v1/namespaces/istio-system/secrets/cacerts', 403],
    // The risk that docs/security.md tells, and docs/adr/0034 how it would end.
    ['GET', '/api/v1/secrets', 200],
    ['GET', '/apis/security.istio.io/v1/authorizationpolicies', 403],
    ['POST', '/apis/authentication.k8s.io/v1/tokenreviews', 403],
    ['POST', '/api/v1/namespaces/shop/configmaps', 403],
    ['DELETE', '/api/v1/namespaces/shop', 403],
  ])('%s %s: %i', async (method, path, status) => {
    expect(await answerTo(remoteKubeconfig(reader), method, path)).toBe(status);
  });
});

test(
  'both remote secrets are rotated without a lost call, the old tokens end, and endpoints are still followed',
  async () => {
    const before = clusters.map(remoteKubeconfig);
    const load = await startLoad({ clusters });
    await apply(rotated);
    const result = await load.stop();
    process.stderr.write(`rotation of both remote secrets: ${JSON.stringify(result)}\n`);
    expect(result).toMatchObject({ failed: 0, failures: [] });
    for (const [index, reader] of clusters.entries()) {
      const old = before[index]!;
      const now = remoteKubeconfig(reader);
      expect(now.getCurrentUser()!.token === old.getCurrentUser()!.token).toBe(false);
      expect(await answerTo(now, 'GET', '/api/v1/pods')).toBe(200);
      // An API server remembers for some seconds that it took a token.
      await waitFor({ what: `the old token of ${reader} refused`, timeoutMs: minute }, async () => {
        const status = await answerTo(old, 'GET', '/api/v1/pods');
        return status === 401 ? { done: true, value: true } : { done: false, because: `it got ${status}` };
      });
    }
    for (const callee of clusters) await followsEndpoints(otherOf[callee], callee);
  },
  15 * minute,
);

/** A service's new pod is an endpoint in the other cluster: its proxies know a gateway where its pods run. */
async function followsEndpoints(from: Name, callee: Name): Promise<void> {
  const health = () => endpoints(from, `outbound|50051||answers-${callee}.shop.svc.cluster.local`);
  const scale = (replicas: number) =>
    kubectl(callee, '-n', 'shop', 'scale', `deployment/answers-${callee}`, `--replicas=${replicas}`);
  const becomes = (what: string, wanted: (count: number) => boolean) =>
    waitFor({ what: `${from}: ${what} endpoints of ${callee}`, timeoutMs: minute }, () => {
      const count = health();
      return wanted(count) ? { done: true, value: true } : { done: false, because: `it has ${count}` };
    });
  await becomes('some', (count) => count > 0);
  scale(0);
  await becomes('no', (count) => count === 0);
  scale(1);
  await becomes('some', (count) => count > 0);
}

/** How many endpoints a proxy has for a cluster of its own. */
function endpoints(cluster: Name, name: string): number {
  const { namespace } = caller;
  const proxy = ['-n', namespace, 'exec', `deployment/${caller.name}`, '-c', 'istio-proxy', '--'];
  const said = kubectl(cluster, ...proxy, 'pilot-agent', 'request', 'GET', 'clusters');
  const lines = said
    .split('\n')
    .filter((line) => line.startsWith(`${name}::`) && line.includes('::cx_active::'));
  return lines.length;
}

test(
  'an API server that a control plane does not reach is named, and the healthy side keeps answering',
  async () => {
    // Nobody has this address of the lab's network.
    const nowhere = 'https://172.29.0.250:6443';
    const access = Object.fromEntries(
      clusters.map((name) => [
        name,
        { kubeconfig, context: name, ...(name === 'west' && { apiServer: nowhere }) },
      ]),
    );
    const load = await startLoad({ clusters });
    const { message, exitCode } = await problemOf(apply({ access }));
    const { flows } = await load.stop();
    process.stderr.write(`one remote out of reach: ${JSON.stringify(flows)}\n`);
    expect(exitCode).toBe(1);
    expect(message).toMatch(
      /^east: remote secret istio-system\/istio-remote-secret-west: east's control plane does not read the API server of west after 60 s: /,
    );
    expect(message).toContain(nowhere);
    expect(message.split('\n')).toHaveLength(1);
    // The west reads the east as before.
    expect(flows['west->east']).toMatchObject({ failed: 0 });
    await apply();
    await waitFor({ what: 'the east has endpoints of the west again', timeoutMs: minute }, () => {
      const count = endpoints('east', 'outbound|50051||answers-west.shop.svc.cluster.local');
      return count > 0 ? { done: true, value: true } : { done: false, because: 'it has none' };
    });
  },
  15 * minute,
);
