import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { LoadBalancerProxies } from './load-balancer-proxies.ts';

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

/** A server that answers what it is sent, once the client has ended its half. */
async function echo(host: string): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(0, host);
  open.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function said(host: string, port: number): Promise<string> {
  const socket = connect({ host, port, allowHalfOpen: true });
  socket.end('hello');
  return (await socket.setEncoding('utf8').toArray()).join('');
}

test('forwards exactly what it is told to, half-closed connections too', async () => {
  const lines: string[] = [];
  const proxies = new LoadBalancerProxies((line) => lines.push(line));
  const port = await echo('127.0.0.1');
  proxies.set([{ address: '127.0.0.2', port, to: '127.0.0.1' }]);
  expect(await said('127.0.0.2', port)).toBe('hello');
  proxies.set([{ address: '127.0.0.3', port, to: '127.0.0.1' }]);
  expect(await said('127.0.0.3', port)).toBe('hello');
  await expect(said('127.0.0.2', port)).rejects.toThrow('connect ECONNREFUSED 127.0.0.2');
  // An address where somebody listens already is told, and nothing ends.
  proxies.set([{ address: '127.0.0.1', port, to: '127.0.0.3' }]);
  while (lines.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(lines).toEqual([
    `cannot forward 127.0.0.1:${port} to 127.0.0.3: listen EADDRINUSE: address already in use 127.0.0.1:${port}`,
  ]);
  proxies.set([]);
});
