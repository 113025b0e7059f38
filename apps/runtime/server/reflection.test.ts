import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { ServerReflection } from '../../../gen/grpc/reflection/v1/reflection_pb.js';
import type { ServerReflectionRequestSchema } from '../../../gen/grpc/reflection/v1/reflection_pb.js';
import { ServerReflection as Alpha } from '../../../gen/grpc/reflection/v1alpha/reflection_pb.js';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../../gen/test/inventory/v1/inventory_pb.js';
import { startLocal, unused } from '../../testing/local.ts';
import type { Local } from '../../testing/local.ts';
import { serviceClient } from '../client.ts';
import { implement } from '../handlers.ts';

type Ask = MessageInitShape<typeof ServerReflectionRequestSchema>['messageRequest'];

let local: Local;
beforeAll(async () => {
  local = await startLocal([
    implement(CatalogService, { getProduct: unused, listProducts: unused, watchPrices: unused }),
    implement(InventoryService, {
      getStock: unused,
      reserve: unused,
      importStock: unused,
      syncStock: unused,
    }),
  ]);
});
afterAll(() => local.stop());

/** The answers of one stream. */
async function ask(...requests: NonNullable<Ask>[]) {
  const { serverReflectionInfo } = serviceClient(ServerReflection, local.channel);
  const answers = [];
  const all = requests.map((messageRequest) => ({ host: 'here', messageRequest }));
  for await (const answer of serverReflectionInfo(all, { timeoutMs: 20_000 })) answers.push(answer);
  return answers;
}

/** The names of the files in each answer; undefined for an answer of another kind. */
async function filesOf(...requests: NonNullable<Ask>[]) {
  return (await ask(...requests)).map(({ messageResponse: { case: kind, value } }) =>
    kind === 'fileDescriptorResponse'
      ? value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name)
      : undefined,
  );
}

const services = [
  'grpc.health.v1.Health',
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
  'test.catalog.v1.CatalogService',
  'test.inventory.v1.InventoryService',
];
const catalogFiles = [
  'test/catalog/v1/catalog.proto',
  'buf/validate/validate.proto',
  'google/api/annotations.proto',
  'google/api/http.proto',
  'google/protobuf/descriptor.proto',
  'google/protobuf/duration.proto',
  'google/protobuf/field_mask.proto',
  'google/protobuf/timestamp.proto',
];

test('lists the services, itself included, and says what was asked', async () => {
  const [answer] = await ask({ case: 'listServices', value: '' });
  expect(answer).toMatchObject({
    validHost: 'here',
    originalRequest: { host: 'here', messageRequest: { case: 'listServices', value: '' } },
    messageResponse: { case: 'listServicesResponse', value: { service: services.map((name) => ({ name })) } },
  });
});

test('older tools get the same under v1alpha', async () => {
  const { serverReflectionInfo } = serviceClient(Alpha, local.channel);
  const requests = [{ messageRequest: { case: 'listServices' as const, value: '' } }];
  for await (const { messageResponse } of serverReflectionInfo(requests)) {
    expect(messageResponse).toMatchObject({ value: { service: services.map((name) => ({ name })) } });
  }
});

describe('files', () => {
  test.each<[string]>([
    ['test.catalog.v1.CatalogService'],
    ['test.catalog.v1.CatalogService.WatchPrices'],
    ['test.catalog.v1.Money'],
    ['test.catalog.v1.Money.currency_code'],
    ['test.catalog.v1.Product.AttributesEntry'],
  ])('%s is in the catalog, which comes with all it imports', async (value) => {
    const [files] = await filesOf({ case: 'fileContainingSymbol', value });
    expect(files?.[0]).toBe(catalogFiles[0]);
    expect(new Set(files)).toEqual(new Set(catalogFiles));
  });

  test.each<[string, string]>([
    ['grpc.health.v1.HealthCheckResponse.ServingStatus', 'grpc/health/v1/health.proto'],
    ['grpc.health.v1.HealthCheckResponse.SERVING', 'grpc/health/v1/health.proto'],
    ['google.api.http', 'google/api/annotations.proto'],
    ['buf.validate.StringRules.well_known', 'buf/validate/validate.proto'],
  ])('%s is in %s', async (value, file) => {
    expect((await filesOf({ case: 'fileContainingSymbol', value }))[0]?.[0]).toBe(file);
  });

  test('one stream gets each import once; what it asks for, it gets again', async () => {
    const request = { case: 'fileByFilename', value: catalogFiles[0]! } as const;
    const [first, again, other] = await filesOf(request, request, {
      case: 'fileByFilename',
      value: 'test/inventory/v1/inventory.proto',
    });
    expect(first).toHaveLength(catalogFiles.length);
    expect(again).toEqual([catalogFiles[0]]);
    expect(other).toEqual(['test/inventory/v1/inventory.proto']);
  });

  test('a caller can rebuild the service from them', async () => {
    const [answer] = await ask({ case: 'fileContainingSymbol', value: InventoryService.typeName });
    if (answer?.messageResponse.case !== 'fileDescriptorResponse') throw new Error('no files');
    const file = answer.messageResponse.value.fileDescriptorProto.map((bytes) =>
      fromBinary(FileDescriptorProtoSchema, bytes),
    );
    const registry = createFileRegistry(file[0]!, (name) => file.find((each) => each.name === name));
    expect(registry.getService(InventoryService.typeName)?.methods.map(({ name }) => name)).toEqual(
      InventoryService.methods.map(({ name }) => name),
    );
  });
});

describe('extensions', () => {
  const containingType = 'google.protobuf.MethodOptions';
  test('by number, and all numbers of a message in order', async () => {
    const [files] = await filesOf({
      case: 'fileContainingExtension',
      value: { containingType, extensionNumber: 72295728 },
    });
    expect(files?.[0]).toBe('google/api/annotations.proto');
    const [numbers, none] = await ask(
      { case: 'allExtensionNumbersOfType', value: 'google.protobuf.FieldOptions' },
      { case: 'allExtensionNumbersOfType', value: 'test.catalog.v1.Money' },
    );
    expect(numbers?.messageResponse.value).toMatchObject({
      baseTypeName: 'google.protobuf.FieldOptions',
      extensionNumber: [1159, 1160],
    });
    expect(none?.messageResponse.value).toMatchObject({ extensionNumber: [] });
  });
});

test.each<[NonNullable<Ask>, string]>([
  [{ case: 'fileByFilename', value: 'a.proto' }, 'file "a.proto" is not known here'],
  [{ case: 'fileContainingSymbol', value: 'shop.Nothing' }, 'symbol "shop.Nothing" is not known here'],
  [{ case: 'allExtensionNumbersOfType', value: 'a.B' }, 'message "a.B" is not known here'],
  [
    { case: 'fileContainingExtension', value: { containingType: 'a.B', extensionNumber: 7 } },
    'extension 7 of "a.B" is not known here',
  ],
])('%j is not found, and the stream goes on', async (request, errorMessage) => {
  const [error, next] = await ask(request, { case: 'listServices', value: '*' });
  expect(error?.messageResponse).toMatchObject({
    case: 'errorResponse',
    value: { errorCode: status.NOT_FOUND, errorMessage },
  });
  expect(next?.messageResponse.case).toBe('listServicesResponse');
});

test('a request for nothing ends the stream', async () => {
  await expect(ask({ case: undefined })).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    message: 'message_request: missing',
  });
});
