/** @own-process Tracing is the program's: what is started once, all later clients and servers of the process use. */
import { once } from 'node:events';
import { afterEach, expect, test } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { ConformanceService, EveryKindSchema } from '../../../gen/conformance/v1/conformance_pb.js';
import { silent, startLocal } from '../../testing/local.ts';
import { startCollector } from '../../testing/otlp.ts';
import { streamsService } from '../../testing/streams.ts';
import { serviceClient } from '../client.ts';
import { startTracing } from './tracing.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((cleanup) => cleanup()));
});

const message = (stringValue: string) => Object.assign(create(EveryKindSchema), { stringValue });

async function count(answers: AsyncIterable<unknown>): Promise<number> {
  let received = 0;
  for await (const answer of answers) if (answer !== undefined) received++;
  return received;
}

test('a stream is a span from its start to its end, also when its caller leaves early', async () => {
  const { local: collector, spans } = await startCollector();
  cleanups.push(() => collector.stop());
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://${collector.address}`;
  const tracing = await startTracing({ name: 'streams', cluster: 'test', pod: 'test' }, silent);
  if (tracing === undefined) throw new Error('no tracing');
  const { implementation, seen } = streamsService();
  const local = await startLocal([implementation], { interceptors: [tracing.interceptor] });
  const client = serviceClient(ConformanceService, local.channel);
  const texts = [message('a'), message('b')];

  expect(await client.clientStream(texts, {})).toMatchObject({ count: 2 });
  expect(await count(client.serverStream({ count: 2 }))).toBe(2);
  expect(await count(client.bidiStream(texts))).toBe(2);
  await expect(count(client.bidiStream([message('fail')]))).rejects.toThrow('asked to fail');
  for await (const answer of client.serverStream({ count: 100, delay: { nanos: 1_000_000 } })) {
    expect(answer.request?.stringValue).toBe('0');
    break;
  }
  const left = seen.contexts.at(-1)?.signal;
  if (left?.aborted === false) await once(left, 'abort');
  await local.stop();
  await tracing.stop();

  const clients = spans.filter(({ kind }) => kind === 'client');
  const outcomes = clients.map((span) => {
    const server = spans.find(({ parent }) => parent === span.id);
    expect(server).toMatchObject({ kind: 'server', name: span.name, trace: span.trace });
    return [span.name, span.attributes['rpc.status_code'], server?.attributes['rpc.status_code']];
  });
  const service = 'conformance.v1.ConformanceService';
  expect(outcomes).toEqual([
    [`${service}/ClientStream`, 'OK', 'OK'],
    [`${service}/ServerStream`, 'OK', 'OK'],
    [`${service}/BidiStream`, 'OK', 'OK'],
    [`${service}/BidiStream`, 'ABORTED', 'ABORTED'],
    [`${service}/ServerStream`, 'CANCELLED', 'CANCELLED'],
  ]);
  expect(new Set(spans.map(({ trace }) => trace)).size).toBe(5);
  expect(spans).toHaveLength(10);
});
