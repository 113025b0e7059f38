import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { isHealthy } from './mesh-status.ts';
import { remoteSecret } from '../remote/remote-secret.ts';
import { tokenWith } from '../testing/control-plane.ts';
import type { ControlPlane } from '../testing/control-plane.ts';
import { RunningMesh } from '../testing/running-mesh.ts';

let mesh: RunningMesh;
let planes: Readonly<Record<'east' | 'west', ControlPlane>>;
beforeAll(async () => {
  mesh = await RunningMesh.start();
});
afterAll(() => mesh.stop());
beforeEach(async () => {
  planes = await mesh.renew();
});

describe('how the control planes read the other clusters', () => {
  const remoteOf = async () => {
    const status = await mesh.collect();
    return { ...status.clusters['east']?.remotes['west'], healthy: isHealthy(status) };
  };
  const days = 24 * 60 * 60;
  /** East gets a token for west that began and ends so many days from now. */
  const give = (began: number, ends: number) => {
    const now = Math.floor(Date.now() / 1000);
    const token = tokenWith({
      iat: now + began * days,
      exp: now + ends * days,
      'kubernetes.io': { serviceaccount: { uid: 'any' }, secret: { name: 'bound', uid: 'bound-1' } },
    });
    planes.west.tokens.push(token);
    mesh.west.put({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'bound', namespace: 'istio-system', uid: 'bound-1' },
    });
    const access = { server: mesh.west.client.server, ca: 'CA', token };
    const secret = remoteSecret('shop', 'west', 'istio-system', access);
    mesh.east.put({ ...secret, metadata: { ...secret.metadata } });
    return new Date((now + ends * days) * 1000).toISOString();
  };

  test('warns ahead of the end of a token, and stays healthy while it is valid', async () => {
    give(-20.5, 9.5);
    expect(await remoteOf()).toMatchObject({
      problem: null,
      warning: 'its token ends in 9 days: run `npm run up`, which renews it',
      healthy: true,
    });
    const soon = give(-29, 1);
    expect(await remoteOf()).toMatchObject({
      tokenNotAfter: soon,
      warning: `its token ends at ${soon}: run \`npm run up\`, which renews it`,
      healthy: true,
    });
  });

  test('is not healthy with a token that has expired, is refused or is missing', async () => {
    const past = give(-31, -1);
    expect(await remoteOf()).toEqual({
      tokenNotAfter: past,
      istiod: 'synced',
      problem: `its token expired on ${past}: run \`npm run up\`, which issues a new one`,
      warning: null,
      listsSecrets: 'all',
      healthy: false,
    });
    give(-1, 29);
    planes.west.refuses = 'service account token has been invalidated';
    expect(await remoteOf()).toMatchObject({
      problem:
        'its token is refused (service account token has been invalidated): run `npm run up`, which issues a new one',
      healthy: false,
    });
    mesh.east.objects.delete('/api/v1/namespaces/istio-system/secrets/istio-remote-secret-west');
    expect(await remoteOf()).toEqual({
      tokenNotAfter: null,
      istiod: 'unknown',
      problem: 'it has no token: run `npm run up`, which issues a new one',
      warning: null,
      listsSecrets: 'none',
      healthy: false,
    });
  });

  test('says which Secrets who takes the remote secret can list, as the other cluster judges it', async () => {
    mesh.west.requests.length = 0;
    mesh.west.allows = (verb, resource, { namespace }) =>
      verb !== 'list' || resource !== 'secrets' || namespace === 'istio-system';
    expect(await remoteOf()).toMatchObject({ listsSecrets: 'namespace', healthy: true });
    const asked = mesh.west.requests.filter(({ path }) => path.endsWith('/subjectaccessreviews'));
    const spec = {
      user: 'system:serviceaccount:istio-system:istio-remote-reader',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:istio-system', 'system:authenticated'],
      resourceAttributes: { verb: 'list', resource: 'secrets' },
    };
    const narrower = { ...spec.resourceAttributes, namespace: 'istio-system' };
    expect(asked.map(({ body }) => (body as { spec: object }).spec)).toEqual([
      spec,
      { ...spec, resourceAttributes: narrower },
    ]);
    mesh.west.allows = (verb, resource) => verb !== 'list' || resource !== 'secrets';
    expect(await remoteOf()).toMatchObject({ listsSecrets: 'none', healthy: true });
    const judge = mesh.west.intervene;
    mesh.west.intervene = (request) =>
      request.path.endsWith('/subjectaccessreviews')
        ? { status: 403, body: { message: 'subjectaccessreviews is forbidden' } }
        : judge(request);
    expect(await remoteOf()).toMatchObject({ listsSecrets: null, problem: null, healthy: true });
  });

  test('is not healthy when istiod gave up waiting for a cluster', async () => {
    planes.east.status['west'] = 'timeout';
    expect(await remoteOf()).toMatchObject({
      istiod: 'timeout',
      problem: 'istiod has not synced with it (timeout): run `npm run up`, which says why',
      healthy: false,
    });
  });

  test('does not need the permission to have tokens judged', async () => {
    const judge = mesh.west.intervene;
    mesh.west.intervene = (request) =>
      request.path.endsWith('/tokenreviews')
        ? { status: 403, body: { message: 'tokenreviews is forbidden' } }
        : judge(request);
    expect(await remoteOf()).toMatchObject({ problem: null, warning: null, healthy: true });
  });
});
