import { afterEach, describe, expect, test } from '@jest/globals';
import { Client, credentials, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { DebugInfoSchema, ErrorInfoSchema } from '../../../../gen/google/rpc/error_details_pb.js';
import { detail, statusError } from '../../../runtime/status.ts';
import { freePort } from '../../../testing/free-port.ts';
import { call, echo, start, stopAll } from '../../../testing/gateway.ts';
import { namesInside, tellsOfTheWay } from './addresses.ts';

afterEach(stopAll);

const rules = { Get: { pattern: { case: 'get', value: '/v1/books/{name}' } } } as const;

async function answerOf(error: () => unknown) {
  const options = echo(rules, async () => {
    await Promise.resolve();
    throw error();
  });
  const { url } = await start(options);
  const { status, body } = await call(`${url}/v1/books/a`);
  return { status, body };
}

const told = (httpStatus: number, code: status, message: string, details: unknown[] = []) => ({
  status: httpStatus,
  body: { code, message, details },
});

describe('A9: addresses of the inside never leave', () => {
  test('in the words of a client of another service that is away', async () => {
    const client = new Client(`127.0.0.1:${await freePort()}`, credentials.createInsecure());
    const bytes = (value: Buffer) => value;
    const error = await new Promise<ServiceError | null>((resolve) => {
      client.makeUnaryRequest('/a.B/C', bytes, bytes, Buffer.alloc(0), resolve);
    });
    client.close();
    const words = error?.details ?? '';
    expect(words).toContain('connect ECONNREFUSED 127.0.0.1:');
    expect(await answerOf(() => statusError(status.UNAVAILABLE, words))).toEqual(
      told(503, status.UNAVAILABLE, 'test.Library/Get: UNAVAILABLE'),
    );
    // By whatever code the service passes it on.
    expect(await answerOf(() => statusError(status.FAILED_PRECONDITION, words))).toEqual(
      told(400, status.FAILED_PRECONDITION, 'test.Library/Get: FAILED_PRECONDITION'),
    );
  });

  test('in details', async () => {
    const stack = detail(DebugInfoSchema, { detail: 'dial tcp 10.0.0.1:5432: connection refused' });
    const info = detail(ErrorInfoSchema, { reason: 'MOVING', domain: 'library.example' });
    expect(
      await answerOf(() => statusError(status.UNAVAILABLE, 'the shelves are being moved', [stack, info])),
    ).toEqual(
      told(503, status.UNAVAILABLE, 'the shelves are being moved', [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'MOVING',
          domain: 'library.example',
        },
      ]),
    );
  });

  test.each([
    'connect ECONNREFUSED 10.0.0.1:50051',
    'No connection established. Last error: Error: connect ECONNREFUSED fd00::1:50051',
    'getaddrinfo ENOTFOUND inventory.shop',
    'Name resolution failed for target dns:inventory.shop.svc.cluster.local:50051',
    'failed to connect to all addresses; last error: UNKNOWN: ipv4:10.0.0.1:50051: Failed to connect to remote host',
    'connection error: desc = "transport: Error while dialing: dial tcp 10.0.0.1:50051: connect: connection refused"',
    'dial tcp: lookup inventory.shop on 10.96.0.10:53: no such host',
    'io exception: Connection refused: inventory.shop/10.0.0.1:50051',
    'read ECONNRESET',
    '[fd00::1]:50051 is away',
    'unix:/var/run/inventory.sock: no such file',
    'no endpoints for inventory.shop.svc',
  ])('%s', (words) => {
    expect(namesInside(words)).toBe(true);
  });

  test.each([
    'upstream connect error or disconnect/reset before headers. reset reason: connection failure',
    'Connection refused: inventory:50051',
    'ECONNREFUSED',
    'no route to 10.0.0.1',
    'cannot reach fd00:10:96::a',
  ])('%s, of a code that libraries give', (words) => {
    expect(tellsOfTheWay(words)).toBe(true);
  });

  test.each([
    'the shelves are being moved',
    'try again at 12:30:05',
    'sku "a:b:c" is not sold',
    'version 1.2.3 is too old',
    'E_TOO_MANY of it',
    'sum: 12.5, of: 3',
    'ipv4: must be a valid IPv4 address',
    'settings.local: must not be empty',
    'printer.internal is not registered',
    'cannot read EXIF data',
    'closed until 2026-03-01T10:30:00Z',
  ])('a service may say %s', (words) => {
    expect(tellsOfTheWay(words)).toBe(false);
  });

  test.each(['line:12: no such book', 'page:100 is beyond the last', 'host 10.0.0.1 is not in the list'])(
    'a service may say %s, of what it was asked',
    (words) => {
      expect(namesInside(words)).toBe(false);
    },
  );
});
