import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { CatalogService } from '../../gen/test/catalog/v1/catalog_pb.js';
import { freePort } from '../testing/free-port.ts';
import { startLocal, unused } from '../testing/local.ts';
import { openChannel, serviceClient } from './client.ts';
import { implement } from './handlers.ts';
import type { Handlers } from './handlers.ts';
import type { Interceptor } from './server/interceptors.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(
  handlers: Partial<Handlers<typeof CatalogService>>,
  interceptors: readonly Interceptor[] = [],
) {
  const all = { getProduct: unused, listProducts: unused, watchPrices: unused, ...handlers };
  const local = await startLocal([implement(CatalogService, all)], { interceptors });
  cleanups.push(() => local.stop());
  return serviceClient(CatalogService, local.channel);
}

const options = { timeoutMs: 20_000 };

describe('A1: what is thrown in one call ends that call alone', () => {
  test('by onHeader: it is the result of the call, of a stream too', async () => {
    const client = await start({
      getProduct: () => ({}),
      watchPrices: async function* () {
        yield {};
        await new Promise(() => undefined);
      },
    });
    const onHeader = () => {
      throw new Error('thrown by a test');
    };
    await expect(client.getProduct({ id: 'p-1' }, { ...options, onHeader })).rejects.toThrow(
      'thrown by a test',
    );
    await expect(client.watchPrices({}, { onHeader }).next()).rejects.toThrow('thrown by a test');
    expect(await client.getProduct({ id: 'p-1' }, options)).toMatchObject({});
  });

  test('by the end of an interceptor: the others get theirs, and the caller the answer', async () => {
    const ends: string[] = [];
    const watched =
      (name: string, error?: Error): Interceptor =>
      () =>
      () => ({
        end: () => {
          ends.push(name);
          if (error !== undefined) throw error;
        },
      });
    const client = await start({ getProduct: () => ({ product: { id: 'p-1' } }) }, [
      watched('outer'),
      watched('broken', new Error('thrown by a test')),
      watched('inner'),
    ]);
    expect(await client.getProduct({ id: 'p-1' }, options)).toMatchObject({ product: { id: 'p-1' } });
    await expect(client.listProducts({}, options)).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
    expect(ends).toEqual(['inner', 'broken', 'outer', 'inner', 'broken', 'outer']);
  });

  test('where nobody catches it: a running program logs it and goes on', async () => {
    const port = await freePort();
    const from = (file: string) => JSON.stringify(pathToFileURL(join(import.meta.dirname, file)).href);
    const program = `
      import { runService } from ${from('run.ts')};
      import { implement } from ${from('handlers.ts')};
      import { CatalogService } from ${from('../../gen/test/catalog/v1/catalog_pb.js')};
      const kinds = {
        timer: () => setTimeout(() => { throw new Error('of a timer'); }),
        promise: () => { void Promise.reject(new Error('of a promise')); },
        signal: (signal) => signal.addEventListener('abort', () => { throw new Error('of a signal'); }),
      };
      await runService('test', {}, () => [implement(CatalogService, {
        getProduct: ({ id }, { signal }) => {
          kinds[id]?.(signal);
          return id === 'signal' ? new Promise(() => undefined) : {};
        },
        listProducts: () => ({}),
        watchPrices: async function* () {},
      })]);`;
    const env = { CLUSTER_NAME: 'east', POD_NAME: 'a', GRPC_PORT: String(port), DRAIN_DELAY_MS: '0' };
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanups.push(() => child.kill('SIGKILL'));
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const next = async () => JSON.parse((await lines.next()).value ?? '{}') as Record<string, unknown>;
    expect(await next()).toMatchObject({ message: 'serving gRPC' });
    const channel = openChannel(`127.0.0.1:${port}`);
    cleanups.push(() => {
      channel.close();
    });
    const client = serviceClient(CatalogService, channel);
    for (const [kind, origin] of [
      ['timer', 'uncaughtException'],
      ['promise', 'unhandledRejection'],
      ['signal', 'uncaughtException'],
    ] as const) {
      const abort = new AbortController();
      const called = client.getProduct({ id: kind }, { ...options, signal: abort.signal });
      if (kind === 'signal') {
        await client.listProducts({}, options);
        abort.abort();
        await expect(called).rejects.toMatchObject({ code: status.CANCELLED });
      } else await called;
      expect(await next()).toMatchObject({
        level: 'error',
        message: 'an error that nobody caught; the program goes on',
        origin,
        err: { message: `of a ${kind}` },
      });
      await client.listProducts({}, options);
    }
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([0, null]);
  });
});
