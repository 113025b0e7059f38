import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { WebSocket, type ClientOptions } from 'ws';
import { HttpEdge } from '../../charts/constructs/edge/http-edge.ts';
import type { Mesh } from '../../charts/constructs/mesh.ts';
import type { KubernetesObject } from '../../charts/model/mesh-model.ts';
import {
  addressOf,
  ask,
  askUntil,
  audience,
  bearer,
  issuer,
  jwks,
  readAddress,
  theirs,
  token,
} from './calls/edge.ts';
import { labMesh, shopServices, type Cluster } from './checkout/lab-mesh.ts';
import { ensureLab } from './checkout/lab.ts';
import { applyVariant } from './checkout/variant.ts';

const minute = 60_000;
/** Of what comes at once when all is well; a test has three times that. */
const patienceMs = 40_000;
const clusters = ['east', 'west'] as const;
const members = 'members.example';
const page = 'https://shop.example';

/** The shop itself, but with its catalog in the west alone, so that quotes come from there; and an edge with tokens. */
function variant(): Mesh<Cluster> {
  const mesh = labMesh();
  const shop = mesh.namespace('shop');
  const { catalog, inventory, orders } = shopServices(shop, { placement: ['west'] });
  orders.calls(catalog.method.getProduct, catalog.method.watchPrices, inventory.method.reserve);
  const { importStock, syncStock } = inventory.method;
  new HttpEdge(shop, 'edge', {
    expose: [importStock, syncStock, orders],
    cors: { origins: [page] },
    openapi: true,
  });
  new HttpEdge(shop, 'members', {
    hosts: [members],
    expose: [syncStock],
    jwt: { issuer, audiences: [audience], jwks },
    placement: ['east'],
  });
  return mesh;
}

/** Lets each price change every 1.6 seconds instead of every 40. */
function hurried(object: KubernetesObject): KubernetesObject {
  if (object.kind !== 'Deployment' || object.metadata.name !== 'catalog') return object;
  const text = JSON.stringify(object);
  const usual = '{"name":"PRICE_CHANGE_INTERVAL_MS","value":"5000"}';
  expect(text).toContain(usual);
  return JSON.parse(text.replace(usual, usual.replace('5000', '200'))) as KubernetesObject;
}

interface Change {
  readonly result: { readonly stock: { readonly productId: string; readonly available?: number } };
}

const sockets: WebSocket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.terminate();
});

/** A WebSocket through the ingress gateway of a cluster to what keeps stock in step. */
function sync(cluster: string, { host = 'shop.test', ...headers }: Record<string, string> = {}, query = '') {
  const options: ClientOptions = { headers: { host, ...headers }, handshakeTimeout: patienceMs };
  const socket = new WebSocket(`ws://${addressOf(cluster)}/v1/stock:sync${query}`, 'grpc-json.v1', options);
  sockets.push(socket);
  const seen: Change[] = [];
  socket.on('message', (data) => seen.push(JSON.parse((data as Buffer).toString()) as Change));
  // What a handshake that is refused gets.
  const refused = new Promise<{ status: number | undefined; body: string }>((resolve) => {
    socket.once('unexpected-response', (_, response: IncomingMessage) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode, body });
      });
    });
  });
  const opened = once(socket, 'open');
  // Of those that are refused nobody asks.
  opened.catch(() => undefined);
  return {
    opened,
    refused,
    send: (message: object) => {
      socket.send(JSON.stringify(message));
    },
    /** Awaits that someone has set the stock of a product to this. */
    change: async (productId: string, available: number) => {
      const told = ({ result: { stock } }: Change) =>
        stock.productId === productId && stock.available === available;
      while (!seen.some(told)) await once(socket, 'message', { signal: AbortSignal.timeout(patienceMs) });
    },
    end: async () => {
      const closed = once(socket, 'close', { signal: AbortSignal.timeout(patienceMs) });
      socket.send('');
      return ((await closed) as [number])[0];
    },
  };
}

/** The first lines of an answer that goes on, and its head. */
async function firstLines(cluster: string, path: string, accept: string, count: number) {
  const headers = { host: 'shop.test', accept };
  const request = httpRequest({ host: addressOf(cluster), path, headers, agent: false }).end();
  const [response] = (await once(request, 'response', { signal: AbortSignal.timeout(patienceMs) })) as [
    IncomingMessage,
  ];
  response.setTimeout(patienceMs, () => response.destroy(new Error(`no line of ${path} for 40 s`)));
  let text = '';
  const lines = () =>
    text
      .split('\n')
      .slice(0, -1)
      .filter((line) => line !== '');
  for await (const chunk of response.setEncoding('utf8')) {
    text += String(chunk);
    if (lines().length >= count) break;
  }
  return {
    status: response.statusCode,
    type: response.headers['content-type'],
    lines: lines().slice(0, count),
  };
}

const ndjson = (...messages: readonly object[]) => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-ndjson' },
  body: messages.map((message) => `${JSON.stringify(message)}\n`).join(''),
});

beforeAll(async () => {
  await ensureLab();
  await applyVariant(variant(), { change: hurried });
  for (const cluster of clusters) {
    readAddress(cluster);
    await askUntil(cluster, '/v1/orders', 200, {}, 8);
    await askUntil(cluster, '/openapi.json', 200, {}, 8);
    await askUntil(cluster, '/v1/quotes:watch?product_id=p-0&quantity=1', 404);
    const forged = { host: members, headers: bearer(token({}, theirs.privateKey)) };
    await askUntil(cluster, '/v1/stock:sync', 401, forged, 8);
  }
}, 60 * minute);

describe.each(clusters)('through the ingress gateway of %s', (cluster) => {
  test('stock is kept in step over WebSockets, both ways, with whoever else does', async () => {
    const product = randomUUID();
    const [one, other] = [sync(cluster), sync(cluster)];
    await Promise.all([one.opened, other.opened]);
    // Who sees a change of its own is told of all that follow.
    other.send({ productId: product, available: 3 });
    await other.change(product, 3);
    one.send({ productId: product, available: 7 });
    await Promise.all([one.change(product, 7), other.change(product, 7)]);
    other.send({ productId: product, available: 5 });
    await Promise.all([one.change(product, 5), other.change(product, 5)]);
    expect([await one.end(), await other.end()]).toEqual([1000, 1000]);
  });

  test('a WebSocket needs the token that its method asks for', async () => {
    const denied = { status: 403, body: 'RBAC: access denied' };
    expect(await sync(cluster, { host: members }).refused).toEqual(denied);
    const forged = bearer(token({}, theirs.privateKey));
    expect(await sync(cluster, { host: members, ...forged }).refused).toEqual({
      status: 401,
      body: 'Jwt verification fails',
    });
    // A script can set no header of a handshake: its token is in the query (RFC 6750, section 2.3), and ends at the gateway.
    for (const socket of [
      sync(cluster, { host: members, ...bearer(token()) }),
      sync(cluster, { host: members, origin: `http://${members}` }, `?access_token=${token()}`),
    ]) {
      await socket.opened;
      const product = randomUUID();
      socket.send({ productId: product, available: 1 });
      await socket.change(product, 1);
      expect(await socket.end()).toBe(1000);
    }
  });

  test('a page of a site that is not named opens no WebSocket, whatever its visitor may', async () => {
    const from = (origin: string, headers = {}) => sync(cluster, { origin, ...headers });
    const refused = {
      status: 403,
      body: JSON.stringify({
        code: 7,
        message: 'origin: "https://evil.example" may not call here',
        details: [],
      }),
    };
    expect(await from('https://evil.example').refused).toEqual(refused);
    // This edge names no site at all.
    const trusted = { host: members, ...bearer(token()) };
    expect(await from('https://evil.example', trusted).refused).toEqual(refused);
    expect((await from(page, trusted).refused).status).toBe(403);
    await from(page).opened;
    await from('http://shop.test').opened;
  });

  test('a delivery is imported as lines of JSON, all or none', async () => {
    const product = randomUUID();
    const line = (quantity: number) => ({ productId: product, quantity });
    const send = (...quantities: number[]) =>
      ask(cluster, '/v1/stock:import', ndjson(...quantities.map(line)));
    expect(await send(5, 4)).toMatchObject({ status: 200, body: '{"imported":2}' });
    const refused = await send(1, -1);
    expect([refused.status, JSON.parse(refused.body)]).toMatchObject([
      400,
      { code: 3, message: 'request 2: quantity: must be greater than or equal to 0' },
    ]);
    const socket = sync(cluster);
    await socket.opened;
    socket.send({ productId: product, available: 9 });
    await socket.change(product, 9);
  });

  test('quotes come from the catalog in the west, as lines and as events', async () => {
    const path = '/v1/quotes:watch?product_id=p-1&quantity=3';
    // 49 euros, and a tenth more every other time.
    const [usual, more] = ['14700', '16170'];
    const lines = await firstLines(cluster, path, 'application/x-ndjson', 3);
    expect([lines.status, lines.type]).toEqual([200, 'application/x-ndjson']);
    const totals = lines.lines.map(
      (line) => (JSON.parse(line) as { result: { total: { minorUnits: string } } }).result.total.minorUnits,
    );
    expect([
      [usual, more, usual],
      [more, usual, more],
    ]).toContainEqual(totals);
    const events = await firstLines(cluster, path, 'text/event-stream', 2);
    expect([events.status, events.type]).toEqual([200, 'text/event-stream']);
    for (const line of events.lines) expect(line).toMatch(/^data: \{"total":\{"currencyCode":"EUR"/);
    const unknown = await ask(cluster, '/v1/quotes:watch?product_id=p-0&quantity=1');
    expect([unknown.status, JSON.parse(unknown.body)]).toMatchObject([404, { code: 5 }]);
  });

  test('an order is made once, however often it is asked for', async () => {
    const order = (quantity: number, requestId: string) =>
      ask(cluster, '/v1/orders', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ productId: 'p-2', quantity, requestId }),
      });
    const id = randomUUID();
    const [first, again] = [await order(1, id), await order(1, id)];
    expect(first.status).toBe(200);
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect((await order(1, randomUUID())).body).not.toBe(first.body);
    const other = await order(2, id);
    expect([other.status, JSON.parse(other.body)]).toMatchObject([409, { code: 6 }]);
  });

  test('what is exposed is described where the edge says so, and nothing beside', async () => {
    const described = await ask(cluster, '/openapi.json');
    const { openapi, paths } = JSON.parse(described.body) as { openapi: string; paths: object };
    expect([described.status, openapi]).toEqual([200, '3.1.1']);
    expect(Object.keys(paths)).toEqual([
      '/v1/orders',
      '/v1/orders/{id}',
      '/v1/quotes:watch',
      '/v1/stock:import',
      '/v1/stock:sync',
    ]);
    const docs = await ask(cluster, '/docs');
    expect([docs.status, docs.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    const denied = { status: 403, body: 'RBAC: access denied' };
    for (const path of ['/openapi.json', '/docs']) {
      expect(await ask(cluster, path, { method: 'POST' })).toMatchObject(denied);
      expect(await ask(cluster, path, { host: members, headers: bearer(token()) })).toMatchObject(denied);
    }
    for (const path of ['/healthz', '/readyz']) expect(await ask(cluster, path)).toMatchObject(denied);
  });
});
