import { once } from 'node:events';
import { afterEach, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { InventoryService } from '../../gen/shop/inventory/v1/inventory_pb.js';
import { implement } from '../runtime/handlers.ts';
import { start, stopAll } from '../testing/gateway.ts';
import { inventoryHandlers } from './handlers.ts';
import { memoryInventory } from './store.ts';

afterEach(stopAll);

async function startInventory() {
  const store = memoryInventory({ 'p-1': 10 });
  const { url } = await start({ implementation: implement(InventoryService, inventoryHandlers(store)) });
  return { url, store };
}

const ndjson = (...messages: readonly object[]): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-ndjson' },
  body: messages.map((message) => `${JSON.stringify(message)}\n`).join(''),
});

test('a delivery is imported as lines of JSON, all or none', async () => {
  const { url, store } = await startInventory();
  const good = { productId: 'p-1', quantity: 5 };
  const taken = await fetch(`${url}/v1/stock:import`, ndjson(good, { productId: 'p-2', quantity: 1 }));
  expect([taken.status, await taken.json()]).toEqual([200, { imported: 2 }]);
  expect([await store.get('p-1'), await store.get('p-2')]).toMatchObject([
    { available: 15 },
    { available: 1 },
  ]);
  const refused = await fetch(`${url}/v1/stock:import`, ndjson(good, { productId: 'p-1', quantity: -1 }));
  expect([refused.status, await refused.json()]).toMatchObject([
    400,
    {
      code: 3,
      message: 'request 2: quantity: must be greater than or equal to 0',
      details: [{ fieldViolations: [{ field: 'quantity', reason: 'INT32_GTE' }] }],
    },
  ]);
  expect(await store.get('p-1')).toMatchObject({ available: 15 });
});

test('a page counts stock over a WebSocket, and sees what others do to it', async () => {
  const { url, store } = await startInventory();
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/stock:sync`, 'grpc-json.v1');
  const next = async () => JSON.parse(String((await once(socket, 'message'))[0])) as unknown;
  await once(socket, 'open');
  const counted = next();
  socket.send(JSON.stringify({ productId: 'p-1', available: 7 }));
  expect(await counted).toMatchObject({ result: { stock: { productId: 'p-1', available: 7 } } });
  const sold = next();
  await store.reserve({ reservationId: 'r-1', productId: 'p-1', quantity: 2 });
  expect(await sold).toMatchObject({ result: { stock: { available: 5, reserved: 2 } } });
  const closed = once(socket, 'close');
  socket.send('');
  expect((await closed)[0]).toBe(1000);
});

test('the same without a WebSocket: lines in, lines out', async () => {
  const { url } = await startInventory();
  const answer = await fetch(`${url}/v1/stock:sync`, ndjson({ productId: 'p-1', available: 7 }));
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
  const lines = (await answer.text()).trim().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { result: { stock: { productId: 'p-1', available: 7, reserved: 0 } } },
  ]);
});

test('a GET of a path that only takes handshakes that way says what is allowed', async () => {
  const { url } = await startInventory();
  const answer = await fetch(`${url}/v1/stock:sync`);
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
});
