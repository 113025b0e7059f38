import { expect, test } from '@jest/globals';
import { Metadata, status } from '@grpc/grpc-js';
import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { AnySchema, anyPack } from '@bufbuild/protobuf/wkt';
import { MoneySchema } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { registry } from '../../testing/shop.ts';
import { StatusError, statusError } from '../../runtime/status.ts';
import { HttpError, httpStatusOf, statusJson } from './http-status.ts';

test.each<[status, number]>([
  [status.CANCELLED, 499],
  [status.UNKNOWN, 500],
  [status.INVALID_ARGUMENT, 400],
  [status.DEADLINE_EXCEEDED, 504],
  [status.NOT_FOUND, 404],
  [status.ALREADY_EXISTS, 409],
  [status.PERMISSION_DENIED, 403],
  [status.RESOURCE_EXHAUSTED, 429],
  [status.FAILED_PRECONDITION, 400],
  [status.ABORTED, 409],
  [status.OUT_OF_RANGE, 400],
  [status.UNIMPLEMENTED, 501],
  [status.INTERNAL, 500],
  [status.UNAVAILABLE, 503],
  [status.DATA_LOSS, 500],
  [status.UNAUTHENTICATED, 401],
])('code %d is HTTP %d', (code, httpStatus) => {
  expect(httpStatusOf(statusError(code, ''))).toBe(httpStatus);
});

test('a code that does not exist is HTTP 500, and a failure of HTTP has its own', () => {
  expect(httpStatusOf(statusError(JSON.parse('99') as status, ''))).toBe(500);
  expect(httpStatusOf(new HttpError(405, status.UNIMPLEMENTED, ''))).toBe(405);
});

/** A google.rpc.Status with the given details, each an encoded Any. */
function withDetails(...details: readonly Uint8Array[]): Metadata {
  const writer = new BinaryWriter().tag(1, WireType.Varint).int32(9);
  for (const detail of details) writer.tag(3, WireType.LengthDelimited).bytes(detail);
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(writer.finish()));
  return metadata;
}

test('details of known types are written out', () => {
  const money = create(MoneySchema, { currencyCode: 'EUR', minorUnits: 5n });
  const known = toBinary(AnySchema, anyPack(MoneySchema, money));
  const unknown = toBinary(AnySchema, create(AnySchema, { typeUrl: 'type.googleapis.com/test.Nothing' }));
  const error = new StatusError(status.FAILED_PRECONDITION, 'too dear', withDetails(known, unknown));
  expect(JSON.parse(statusJson(error, registry))).toEqual({
    code: 9,
    message: 'too dear',
    details: [{ '@type': 'type.googleapis.com/test.catalog.v1.Money', currencyCode: 'EUR', minorUnits: '5' }],
  });
});

test('malformed details do not hide the error', () => {
  const error = new StatusError(status.ABORTED, 'no', withDetails(Buffer.from([0xff])));
  expect(statusJson(error, registry)).toBe('{"code":10,"message":"no","details":[]}');
});
