import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { MeshModel } from '../../charts/model/mesh-model.ts';
import { grpcReads } from '../../cli/proofs/grpc-reads.ts';
import { makeCertificate } from './calls/certificate.ts';
import { echoIn } from './calls/echo.ts';
import {
  addressOf,
  ask,
  audience,
  bearer,
  issuer,
  readAddress,
  rejectedBy,
  theirs,
  token,
} from './calls/edge.ts';
import { callNative, nativeUntil, rawCall, type NativeCall } from './calls/native.ts';
import { ensureLab, kubectl } from './checkout/lab.ts';
import { applyVariant } from './checkout/variant.ts';
import { edgeMesh, members, secret, secure } from './meshes/edge-mesh.ts';

const minute = 60_000;
const clusters = ['east', 'west'] as const;
const catalog = '/shop.catalog.v1.CatalogService';
const orders = '/shop.orders.v1.OrdersService';
const getProduct: NativeCall = { path: `${catalog}/GetProduct` };
const ofMembers = (path: string, metadata: Readonly<Record<string, string>> = {}): NativeCall => ({
  ...{ path, host: members, metadata },
});
const denied = { code: status.PERMISSION_DENIED, details: 'RBAC: access denied', servedBy: '' };

let authority = '';
let model: MeshModel;
const rejectedBefore: Record<string, number> = {};

beforeAll(async () => {
  await ensureLab();
  for (const cluster of clusters) rejectedBefore[cluster] = rejectedBy(cluster);
  const mesh = edgeMesh(undefined, ['rest', 'grpc']);
  model = mesh.model();
  await applyVariant(mesh, { change: echoIn('shop') });
  const { ca, manifest } = await makeCertificate(secure, secret);
  authority = ca;
  for (const cluster of clusters) {
    kubectl(cluster, 'apply', '-f', '-', { input: manifest });
    readAddress(cluster);
    await nativeUntil(cluster, getProduct, status.OK, 8);
    await nativeUntil(cluster, ofMembers(getProduct.path, bearer(token())), status.OK, 8);
    await nativeUntil(cluster, { ...getProduct, host: secure, ca: authority }, status.OK, 8);
  }
}, 60 * minute);

afterAll(() => {
  for (const cluster of clusters) {
    kubectl(cluster, '-n', 'istio-ingress', 'delete', 'secret', secret, '--ignore-not-found');
  }
});

describe.each(clusters)('native gRPC clients through the ingress gateway of %s', (cluster) => {
  test('call the methods that are exposed, in plaintext and over TLS, and nothing else', async () => {
    for (const call of [getProduct, { ...getProduct, host: secure, ca: authority }]) {
      const answer = await callNative(cluster, call);
      expect(answer).toMatchObject({ code: status.OK, messages: 1 });
      expect(answer.servedBy).toMatch(new RegExp(`^${cluster}/`));
      // Another method of an exposed service, a method of another service, and none.
      for (const path of [
        `${catalog}/WatchPrices`,
        `${orders}/GetOrder`,
        '/grpc.health.v1.Health/Check',
        '/',
      ]) {
        expect(await callNative(cluster, { ...call, path })).toMatchObject(denied);
      }
    }
    // The same path is no way to anything else, nor is a path of the HTTP gateway one for gRPC.
    const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
    expect(await ask(cluster, getProduct.path, json)).toMatchObject({ status: 403 });
    const web = { ...json, headers: { 'content-type': 'application/grpc-web+proto' } };
    expect(await ask(cluster, getProduct.path, web)).toMatchObject({ status: 403 });
    expect(await callNative(cluster, { path: '/v1/products/p-1' })).toMatchObject(denied);
    expect(
      await rawCall(`http://${addressOf(cluster)}`, {
        ':method': 'PUT',
        ':path': getProduct.path,
        'content-type': 'application/grpc',
      }),
    ).toMatchObject({
      'grpc-status': String(status.PERMISSION_DENIED),
    });
    expect(await ask(cluster, '/v1/products/p-1')).toMatchObject({ status: 200 });
  });

  test('get streams of a server, message by message', async () => {
    const watch = ofMembers(`${catalog}/WatchPrices`, {
      ...bearer(token()),
      ...{ 'x-messages': '3', 'x-delay-ms': '100' },
    });
    expect(await callNative(cluster, { ...watch, kind: 'server stream' })).toMatchObject({
      ...{ code: status.OK, messages: 3 },
    });
  });

  test('need a valid token, method by method, and a claim where a rule asks for one', async () => {
    const get = (metadata: Readonly<Record<string, string>> = {}) =>
      callNative(cluster, ofMembers(getProduct.path, metadata));
    expect(await get()).toMatchObject(denied);
    const wrong = {
      'Jwt is expired': token({ exp: 1_000_000_000 }),
      'Jwt issuer is not configured': token({ iss: 'https://other.example' }),
      'Jwt verification fails': token({}, theirs.privateKey),
    };
    for (const [details, text] of Object.entries(wrong)) {
      expect(await get(bearer(text))).toMatchObject({ code: status.UNAUTHENTICATED, details, servedBy: '' });
    }
    expect(await get(bearer(token({ aud: `not ${audience}`, iss: issuer })))).toMatchObject({
      ...{ code: status.PERMISSION_DENIED, servedBy: '' },
    });
    const order = (claims: object) =>
      callNative(cluster, ofMembers(`${orders}/CreateOrder`, bearer(token({ ...claims }))));
    expect(await order({ role: 'visitor' })).toMatchObject(denied);
    expect(await order({ role: 'buyer' })).toMatchObject({ code: status.OK });
    expect(await callNative(cluster, ofMembers(`${catalog}/ListProducts`))).toMatchObject({
      code: status.OK,
    });
  });

  test('cannot make a claim up, and bring none to an edge that does not pass it on', async () => {
    const seen = async (call: NativeCall) => {
      const answer = await callNative(cluster, call);
      expect(answer).toMatchObject({ code: status.OK });
      return answer.seen;
    };
    const forged = { 'x-user': 'root' };
    const trusted = await seen(ofMembers(getProduct.path, { ...bearer(token({ sub: 'grace' })), ...forged }));
    expect(trusted).toMatchObject({ 'x-user': 'grace' });
    // The token itself ends at the gateway.
    expect(trusted).not.toHaveProperty('authorization');
    expect(await seen(ofMembers(`${catalog}/ListProducts`, forged))).not.toHaveProperty('x-user');
    expect(await seen({ ...getProduct, metadata: forged })).not.toHaveProperty('x-user');
    expect(await seen({ ...getProduct, metadata: bearer(token()) })).not.toHaveProperty('x-user');
  });

  test('cannot tell proxies what to do, nor pose as another workload', async () => {
    const forged = {
      'x-envoy-upstream-rq-timeout-ms': '1',
      'x-envoy-retry-on': '5xx',
      'x-envoy-max-retries': '9',
      'x-forwarded-client-cert': 'URI=spiffe://shop.example/ns/shop/sa/orders',
    };
    const answer = await callNative(cluster, { ...getProduct, metadata: { ...forged, 'x-delay-ms': '300' } });
    expect(answer).toMatchObject({ code: status.OK });
    expect(Object.keys(answer.seen).filter((name) => name.startsWith('x-envoy-') && name in forged)).toEqual(
      [],
    );
    expect(answer.seen['x-forwarded-client-cert']).toContain('istio-ingressgateway');
    expect(answer.seen['x-forwarded-client-cert']).not.toContain('orders');
  });

  test('have their deadlines kept, which take no pod out of use', async () => {
    const late = { ':path': getProduct.path, 'content-type': 'application/grpc', 'x-delay-ms': '3000' };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        rawCall(`http://${addressOf(cluster)}`, { ...late, 'grpc-timeout': '50m' }),
      ),
    );
    expect(answers.map((answer) => answer['grpc-status'])).toEqual(
      answers.map(() => String(status.DEADLINE_EXCEEDED)),
    );
    const after = await Promise.all(Array.from({ length: 10 }, () => callNative(cluster, getProduct)));
    expect(after.map(({ code, servedBy }) => [code, servedBy.split('/')[0]])).toEqual(
      after.map(() => [status.OK, cluster]),
    );
    // The gateway keeps them: whatever the server calls in its turn is not called by them.
    expect(after[0]?.seen).not.toHaveProperty('grpc-timeout');
  });

  test('share the limits of the edge with its other clients', async () => {
    const list: NativeCall = { path: `${catalog}/ListProducts` };
    await nativeUntil(cluster, list, status.OK);
    const answers = await Promise.all(Array.from({ length: 20 }, () => callNative(cluster, list)));
    const codes = new Set(answers.map(({ code }) => code));
    expect(codes).toEqual(new Set([status.OK, status.RESOURCE_EXHAUSTED]));
    expect(await ask(cluster, '/v1/products')).toMatchObject({ status: 429 });
    expect(await callNative(cluster, getProduct)).toMatchObject({ code: status.OK });
  });
});

test('what `up` proves of them holds', async () => {
  const proofs = grpcReads(model);
  expect(proofs.map(({ title }) => title)).toEqual([
    ...clusters.map(
      (cluster) => `gRPC calls to open through ${cluster} are answered by catalog in ${cluster}`,
    ),
    ...clusters.flatMap((cluster) => [
      `gRPC calls to members through ${cluster} are answered by catalog in ${cluster}`,
      `gRPC calls without a token to members through ${cluster} do not get to catalog and orders`,
    ]),
  ]);
  const ingress = Object.fromEntries(
    clusters.map((cluster) => [cluster, `http://${addressOf(cluster)}`] as const),
  );
  for (const { run } of proofs) await run({ model, clients: {}, ingress });
});

test(
  'with the near instances gone, another cluster serves',
  async () => {
    const scale = (replicas: number) =>
      kubectl('east', '-n', 'shop', 'scale', 'deployment/catalog', `--replicas=${replicas}`);
    scale(0);
    try {
      kubectl(
        'east',
        '-n',
        'shop',
        'wait',
        'pod',
        '-l',
        'app.kubernetes.io/name=catalog',
        '--for=delete',
        '--timeout=90s',
      );
      const answers = [];
      for (let made = 0; made < 20; made++) answers.push(await callNative('east', getProduct));
      expect(answers.map(({ code, servedBy }) => [code, servedBy.split('/')[0]])).toEqual(
        answers.map(() => [status.OK, 'west']),
      );
    } finally {
      scale(1);
    }
  },
  3 * minute,
);

test.each(clusters)('Envoy refused no configuration of the ingress gateway of %s', (cluster) => {
  expect(rejectedBy(cluster)).toBeLessThanOrEqual(rejectedBefore[cluster] ?? 0);
});
