import { createServer, type Http2Server, type IncomingHttpHeaders } from 'node:http2';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { keptProject } from '../../charts/testing/project.ts';
import { shopInTwo } from '../../charts/testing/shop.ts';
import type { EdgeModel, GrpcReadModel, MeshModel } from '../../charts/model/mesh-model.ts';
import { proofsOf } from './all.ts';
import { callGrpc } from './grpc.ts';
import { grpcReads, notAnswered, notRefused } from './grpc-reads.ts';

const declared = shopInTwo(keptProject()).model();
const getProduct = '/test.catalog.v1.CatalogService/GetProduct';
const getOrder = '/test.orders.v1.OrdersService/GetOrder';
const of = (workload: string, path: string, token = false): GrpcReadModel => ({
  ...{ workload, namespace: 'shop', path, token },
});

/** The shop, whose edge takes native gRPC calls. */
function shopWith(
  grpc: readonly GrpcReadModel[],
  edge: Partial<EdgeModel> = {},
  catalog: object = {},
): MeshModel {
  const workloads = declared.workloads.map((workload) => {
    if (workload.name === 'catalog') return { ...workload, ...catalog };
    return workload.edge === undefined
      ? workload
      : { ...workload, edge: { ...workload.edge, ...edge, grpc } };
  });
  return { ...declared, workloads };
}

const titles = (model: MeshModel) => grpcReads(model).map(({ title }) => title);

const open: Http2Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

type Reply = (headers: IncomingHttpHeaders) => Readonly<Record<string, string>>;

/** An ingress gateway, which answers each call with these headers, and with a status in trailers where they have none. */
async function ingress(reply: Reply): Promise<string> {
  const server = createServer();
  open.push(server);
  server.on('stream', (stream, headers) => {
    const said = reply(headers);
    const answer = { ':status': 200, 'content-type': 'application/grpc', ...said };
    if (said['grpc-status'] !== undefined) {
      stream.respond(answer, { endStream: true });
      return;
    }
    stream.respond(answer, { waitForTrailers: true });
    stream.on('wantTrailers', () => {
      stream.sendTrailers({ 'grpc-status': '0' });
    });
    stream.end(Buffer.alloc(5));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Runs the only proof of a model with one ingress for every cluster. */
async function prove(model: MeshModel, reply: Reply): Promise<string> {
  const url = await ingress(reply);
  const [proof] = grpcReads(model);
  const signal = AbortSignal.timeout(2_000);
  return proof!.run({ model, clients: {}, ingress: { east: url, west: url }, signal });
}

test('up proves native calls through every cluster where an edge takes them, and that those without a token do not get in', () => {
  const model = shopWith([of('catalog', getProduct), of('orders', getOrder, true)]);
  const expected = ['east', 'west'].flatMap((cluster) => [
    `gRPC calls to edge through ${cluster} are answered by catalog in ${cluster}`,
    `gRPC calls without a token to edge through ${cluster} do not get to orders`,
  ]);
  expect(titles(model)).toEqual(expected);
  expect(proofsOf(model).steady.map(({ title }) => title)).toEqual(expect.arrayContaining(expected));
});

test('nothing is tried where it would prove nothing: no native calls, TLS, no pods', () => {
  expect(titles(declared)).toEqual([]);
  expect(titles(shopWith([of('catalog', getProduct)], { tls: true }))).toEqual([]);
  expect(titles(shopWith([of('catalog', getProduct)], {}, { answersFrom: [] }))).toEqual([]);
});

describe('a native call', () => {
  const model = shopWith([of('catalog', getProduct)], { hosts: ['api.example'] });

  test('is right when a service of the expected cluster answers, for the host of the edge', async () => {
    const asked: IncomingHttpHeaders[] = [];
    const seen = await prove(model, (headers) => {
      asked.push(headers);
      return { 'x-served-by': 'east/catalog-1' };
    });
    expect(seen).toBe('11 of 11 each, the last with status 0 served by east/catalog-1: ');
    expect(asked[0]).toMatchObject({ ':authority': 'api.example', ':path': getProduct, te: 'trailers' });
  });

  test('is wrong when another cluster answers, a policy denies it, or no service answers', () => {
    const catalog = declared.workloads.find(({ name }) => name === 'catalog')!;
    const said = (answer: object) =>
      notAnswered(catalog, { servedBy: '', status: '0', message: '', ...answer }, ['east']);
    expect(said({ servedBy: 'east/catalog-1' })).toBeUndefined();
    expect(said({ servedBy: 'west/catalog-1' })).toBe('it was not served by east');
    expect(said({ status: '7', message: 'RBAC: access denied' })).toBe('no service answered');
    expect(said({ status: '14' })).toBe('no service answered');
  });

  test('of an image that is built elsewhere is right with any status of its own', async () => {
    const foreign = shopWith([of('catalog', getProduct)], {}, { app: undefined });
    expect(titles(foreign)[0]).toBe('gRPC calls to edge through east are answered by catalog');
    expect(await prove(foreign, () => ({ 'grpc-status': '3' }))).toContain('status 3');
    const catalog = foreign.workloads.find(({ name }) => name === 'catalog')!;
    const said = (status: string, message = '') =>
      notAnswered(catalog, { servedBy: '', status, message }, ['east']);
    expect(said('5')).toBeUndefined();
    expect(said('14')).toBe('no service answered');
    expect(said('7', 'RBAC: access denied')).toBe('no service answered');
  });
});

describe('a native call without a token', () => {
  const model = shopWith([of('orders', getOrder, true)]);

  test('is right when the gateway denies it', async () => {
    const seen = await prove(model, () => ({ 'grpc-status': '7', 'grpc-message': 'RBAC: access denied' }));
    expect(seen).toContain('status 7 of no service that tells: RBAC: access denied');
  });

  test('is wrong when it gets to a service, also where that refuses it', () => {
    const said = (servedBy: string, status: string, message: string) =>
      notRefused({ servedBy, status, message });
    const wrong = 'it was not denied by the ingress gateway';
    expect(said('', '7', 'RBAC: access denied')).toBeUndefined();
    expect(said('east/orders-1', '7', 'RBAC: access denied')).toBe(wrong);
    expect(said('', '7', 'not yours')).toBe(wrong);
    expect(said('', '14', '')).toBe(wrong);
  });
});

test('a call that gets no answer is an answer, too', async () => {
  const url = await ingress(() => ({}));
  open[0]!.close();
  await once(open[0]!, 'close');
  expect(await callGrpc(url, { path: getProduct })).toEqual({
    ...{ servedBy: '', status: '' },
    message: expect.stringContaining('ECONNREFUSED'),
  });
});
