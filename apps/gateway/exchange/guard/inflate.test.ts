import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createRegistry } from '@bufbuild/protobuf';
import { file_conformance_v1_conformance } from '../../../../gen/conformance/v1/conformance_pb.js';
import { call, echo, start, stopAll } from '../../../testing/gateway.ts';
import { streamsService } from '../../../testing/streams.ts';
import { LineCutter } from '../lines.ts';

afterEach(stopAll);

const limit = 100_000;

async function startStreams() {
  const { implementation, seen } = streamsService();
  const registry = createRegistry(file_conformance_v1_conformance);
  return { ...(await start({ implementation, registry, bodyLimit: limit })), seen };
}

const packed = (body: Buffer, encoding = 'gzip', type = 'application/x-ndjson'): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': type, 'content-encoding': encoding },
  body: new Uint8Array(body),
});
const tooMuch = (what: string) => ({ status: 413, body: { code: 8, message: `body: ${what}`, details: [] } });
const ratio = tooMuch('gzip of more than 32 bytes for each byte received');

describe('A6: inflated bytes count, whatever the lines are', () => {
  test.each([
    ['empty lines', '\n'],
    ['empty lines of two characters', '\r\n'],
    ['messages of nothing', '{}\n'],
    ['messages', '{"stringValue":"a"}\n'],
  ])('%s beyond the ratio', async (_, line) => {
    const { url, held, seen } = await startStreams();
    const body = gzipSync(line.repeat(5_000_000 / line.length));
    expect(body.length).toBeLessThan(50_000);
    expect(await call(`${url}/v1/streams/client`, packed(body))).toMatchObject(ratio);
    expect(seen.messages * line.length).toBeLessThan(2_000_000);
    expect(held.bytes()).toBe(0);
  });

  test('more than sixteen times the longest line, in all', async () => {
    const { url } = await startStreams();
    const lines = Array.from(
      { length: 40_000 },
      (_, at) => `{"stringValue":"${Math.sin(at)}${Math.cos(at)}"}\n`,
    );
    const body = gzipSync(lines.join(''));
    expect(await call(`${url}/v1/streams/client`, packed(body))).toMatchObject(
      tooMuch('more than 1600000 bytes'),
    );
  });

  test('gzip of nothing, again and again', async () => {
    const { url } = await startStreams();
    const nothing = gzipSync('');
    const body = Buffer.concat(Array.from({ length: 1_700_000 / nothing.length }, () => nothing));
    expect(await call(`${url}/v1/streams/client`, packed(body))).toMatchObject(
      tooMuch('more than 1600000 bytes'),
    );
  });

  test('a whole body is bounded by its limit, and not kept', async () => {
    const { url, held } = await start({
      ...echo({ Create: { pattern: { case: 'post', value: '/v1/books' }, body: '*' } }),
      bodyLimit: limit,
    });
    const bomb = gzipSync(Buffer.alloc(50_000_000, ' '));
    const answer = await call(`${url}/v1/books`, packed(bomb, 'gzip', 'application/json'));
    expect(answer).toMatchObject(tooMuch('more than 100000 bytes'));
    expect(held.bytes()).toBe(0);
  });

  test.each(['gzip', 'GZIP', 'x-gzip'])('B9: %s within the limits is taken', async (encoding) => {
    const { url } = await startStreams();
    const body = gzipSync('\n{"stringValue":"a"}\n\r\n\n{"stringValue":"b"}');
    expect(await call(`${url}/v1/streams/client`, packed(body, encoding))).toMatchObject({
      status: 200,
      body: { count: 2, stringValues: ['a', 'b'] },
    });
  });
});

test('A6: a run of empty lines is one step', () => {
  expect(new LineCutter(10).take(Buffer.from('\n\r\n\n\r\na\n'), 0)).toEqual({ line: undefined, next: 6 });
});
