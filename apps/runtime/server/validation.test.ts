import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { file_buf_validate_validate } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { BadRequestSchema } from '../../../gen/google/rpc/error_details_pb.js';
import { InventoryService } from '../../../gen/test/inventory/v1/inventory_pb.js';
import { startLocal, unused } from '../../testing/local.ts';
import type { Local } from '../../testing/local.ts';
import { serviceClient } from '../client.ts';
import { implement } from '../handlers.ts';
import { StatusError, findDetail } from '../status.ts';

const started: Local[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((local) => local.stop()));
});

async function failureOf(call: Promise<unknown>): Promise<StatusError> {
  const failed = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (failed instanceof StatusError) return failed;
  throw new Error('the call did not fail with a status');
}

describe('a request that breaks the constraints of its proto', () => {
  const seen: string[] = [];
  async function reserve(request: { reservationId: string; productId: string; quantity: number }) {
    const handlers = {
      getStock: unused,
      importStock: unused,
      syncStock: unused,
      reserve: ({ reservationId }: { reservationId: string }) => {
        seen.push(reservationId);
        return { reservationId };
      },
    };
    const local = await startLocal([implement(InventoryService, handlers)]);
    started.push(local);
    return serviceClient(InventoryService, local.channel).reserve(request, { timeoutMs: 20_000 });
  }

  test('is refused with every violation, and the handler does not see it', async () => {
    const failed = await failureOf(reserve({ reservationId: '', productId: 'p', quantity: -2 }));
    expect([failed.code, failed.message]).toEqual([
      status.INVALID_ARGUMENT,
      'reservation_id: value is required; quantity: must be greater than or equal to 1',
    ]);
    expect(findDetail(failed, BadRequestSchema)?.fieldViolations).toMatchObject([
      { field: 'reservation_id', description: 'value is required', reason: 'REQUIRED' },
      { field: 'quantity', description: 'must be greater than or equal to 1', reason: 'INT32_GTE' },
    ]);
    expect(seen).toEqual([]);
  });

  test('one that keeps them reaches the handler', async () => {
    expect(await reserve({ reservationId: 'r', productId: 'p', quantity: 1 })).toMatchObject({
      reservationId: 'r',
    });
    expect(seen).toEqual(['r']);
  });
});

test('buf is given the constraints as protovalidate has them, but for options', () => {
  const root = join(import.meta.dirname, '../../..');
  const buf = join(root, 'node_modules', '.bin', 'buf');
  const arguments_ = ['build', 'node_modules/.protos', '--as-file-descriptor-set', '-o', '-'];
  const { file } = fromBinary(FileDescriptorSetSchema, execFileSync(buf, arguments_, { cwd: root }));
  const printed = file.find(({ name }) => name === file_buf_validate_validate.proto.name);
  expect(printed).toBeDefined();
  expect(withoutOptions(printed!)).toEqual(withoutOptions(file_buf_validate_validate.proto));
});

/** A copy that compares: the order of fields means nothing. */
function withoutOptions(file: FileDescriptorProto) {
  const copy = fromBinary(FileDescriptorProtoSchema, toBinary(FileDescriptorProtoSchema, file));
  const fields = [...copy.extension, ...copy.messageType.flatMap((message) => message.field)];
  for (const each of [copy, ...copy.messageType, ...copy.enumType, ...fields]) delete each.options;
  for (const { field } of copy.messageType) field.sort((a, b) => a.number - b.number);
  delete copy.sourceCodeInfo;
  return create(FileDescriptorProtoSchema, copy);
}
