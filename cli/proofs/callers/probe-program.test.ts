import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { run } from '../../../core/run.ts';
import { readAnswers } from './answers.ts';
import { isExpected, probeAnswers, probeProgram, type ProbeAnswer, type ProbeCall } from './probe-program.ts';

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** A gRPC server on loopback. */
async function serving(
  answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, calls: number) => void,
): Promise<string> {
  const server = createServer();
  let calls = 0;
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    answer(stream, headers, ++calls);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function probe(...calls: readonly ProbeCall[]): Promise<readonly ProbeAnswer[] | undefined> {
  const { stdout } = await run(process.execPath, ['-e', probeProgram, JSON.stringify(calls)]);
  return readAnswers(probeAnswers, stdout);
}

const head = { ':status': 200, 'content-type': 'application/grpc' };

/** As Envoy's RBAC filter answers: an end of stream with the status alone. */
const refuse = (stream: ServerHttp2Stream) => {
  stream.respond({ ...head, 'grpc-status': '7', 'grpc-message': 'RBAC: access denied' }, { endStream: true });
};

const path = '/test.catalog.v1.CatalogService/GetProduct';

test('a service answers in unary calls and streams, with any status, and without one', async () => {
  const ok = await serving((stream) => {
    stream.respond({ ...head, 'x-served-by': 'east/catalog-1' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => {
      stream.sendTrailers({ 'grpc-status': '0' });
    });
    stream.end();
  });
  const refusing = await serving((stream) => {
    stream.respond({ ...head, 'x-served-by': 'west/catalog-2', 'grpc-status': '3' }, { endStream: true });
  });
  const endless = await serving((stream) => {
    stream.respond({ ...head, 'x-served-by': 'east/catalog-3' });
  });
  const answers = await probe(
    ...[ok, refusing, endless].map((url) => ({ url, path, answeredBy: 'service' }) as const),
  );
  expect(answers?.map(({ servedBy }) => servedBy)).toEqual([
    'east/catalog-1',
    'west/catalog-2',
    'east/catalog-3',
  ]);
});

test('of a service of others the status counts, though its headers name a pod before it', async () => {
  const answering = (status: string) =>
    serving((stream) => {
      stream.respond({ ...head, 'x-served-by': 'east/ledger-1' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => {
        stream.sendTrailers({ 'grpc-status': status });
      });
      stream.end();
    });
  const urls = await Promise.all([answering('0'), answering('5')]);
  const calls = urls.map((url) => ({ url, path, answeredBy: 'service', existing: true }) as const);
  const answers = (await probe(...calls)) ?? [];
  expect(answers).toEqual([
    { servedBy: 'east/ledger-1', status: '0', message: '' },
    { servedBy: 'east/ledger-1', status: '5', message: '' },
  ]);
  expect(answers.map((answer, index) => isExpected(answer, calls[index]!))).toEqual([true, true]);
});

test('the call names its method, and sends one empty message', async () => {
  const seen: unknown[] = [];
  const url = await serving((stream, headers) => {
    const sent: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => sent.push(chunk));
    stream.on('end', () => {
      seen.push([
        headers[':method'],
        headers[':path'],
        headers['content-type'],
        headers['te'],
        Buffer.concat(sent),
      ]);
      stream.respond({ ...head, 'x-served-by': 'east/catalog-1', 'grpc-status': '0' }, { endStream: true });
    });
  });
  await probe({ url, path, answeredBy: 'service' });
  expect(seen).toEqual([['POST', path, 'application/grpc', 'trailers', Buffer.alloc(5)]]);
});

test('a refusal of the proxy is what is expected where no grant is, and a refusal of the service is not', async () => {
  const call = { url: await serving(refuse), path, answeredBy: 'proxy' } as const;
  const [answer] = (await probe(call)) ?? [];
  expect(answer).toEqual({ servedBy: '', status: '7', message: 'RBAC: access denied' });
  expect(isExpected(answer!, call)).toBe(true);
  expect(isExpected({ ...answer!, servedBy: 'west/inventory-1' }, call)).toBe(false);
  expect(isExpected(answer!, { ...call, answeredBy: 'service' })).toBe(false);
});

test('a proxy that does not know the way yet is asked again', async () => {
  const url = await serving((stream, _, calls) => {
    if (calls < 3) {
      const message = 'no healthy upstream';
      stream.respond({ ...head, 'grpc-status': '14', 'grpc-message': message }, { endStream: true });
    } else
      stream.respond({ ...head, 'x-served-by': 'east/catalog-1', 'grpc-status': '0' }, { endStream: true });
  });
  expect(await probe({ url, path, answeredBy: 'service' })).toEqual([
    { servedBy: 'east/catalog-1', status: '0', message: '' },
  ]);
});

test.each(['', 'Error: no such image', '[]', 'answers: {}', 'answers: [{"servedBy":1}]', 'answers: ['])(
  '%j is no list of answers',
  (printed) => {
    expect(readAnswers(probeAnswers, printed)).toBeUndefined();
  },
);

test.each<[string, boolean, boolean]>([
  ['0', true, true],
  ['3', true, true],
  ['12', true, true],
  // By a policy of its owners: the call got to its proxy, which is all that a method that nobody has can show.
  ['7', false, true],
  ['14', false, false],
])('of a service of others status %s counts', async (status, ofMethod, ofNoMethod) => {
  const message = { '7': 'RBAC: access denied', '14': 'no healthy upstream' }[status] ?? '';
  const url = await serving((stream) => {
    stream.respond({ ...head, 'grpc-status': status, 'grpc-message': message }, { endStream: true });
  });
  // Only what counts at once: else it is asked until the time is over.
  const answer = { servedBy: '', status, message };
  const calls = (['service', 'proxy'] as const).map((answeredBy) => ({
    url,
    path,
    answeredBy,
    existing: true,
  }));
  expect(calls.map((call) => isExpected(answer, call))).toEqual([ofMethod, ofNoMethod]);
  const due = calls.filter((call) => isExpected(answer, call));
  expect(await probe(...due)).toEqual(due.map(() => answer));
});

test('a service of others that denies by its own word has answered', () => {
  const answer = { servedBy: '', status: '7', message: 'no account of this customer' };
  expect(isExpected(answer, { url: '', path, answeredBy: 'service', existing: true })).toBe(true);
});

test.each<[string, string, boolean, boolean]>([
  ['0', '', true, false],
  ['3', 'no id', true, false],
  ['12', 'unknown method', true, false],
  // Of its own accord, where the grant let the call through.
  ['7', 'not for you', true, false],
  ['7', 'RBAC: access denied', false, true],
  ['14', 'no healthy upstream', false, false],
])(
  'of an image that is built elsewhere, status %s (%s) is told from the refusal of its proxy',
  async (status, message, ofService, ofProxy) => {
    const url = await serving((stream) => {
      stream.respond({ ...head, 'grpc-status': status, 'grpc-message': message }, { endStream: true });
    });
    for (const [answeredBy, expected] of [
      ['service', ofService],
      ['proxy', ofProxy],
    ] as const) {
      const call = { url, path, answeredBy, foreign: true };
      expect(isExpected({ servedBy: '', status, message }, call)).toBe(expected);
      // An answer that is not expected is asked for until the time is over.
      if (expected) expect(await probe(call)).toEqual([{ servedBy: '', status, message }]);
    }
  },
);
