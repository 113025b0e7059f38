import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DescService } from '@bufbuild/protobuf';
import { CatalogService } from '../../gen/test/catalog/v1/catalog_pb.js';
import { OrdersService } from '../../gen/test/orders/v1/orders_pb.js';
import { library } from '../../http-rule/testing/library.ts';
import { descriptorSet } from '../config/descriptors/descriptor-set.ts';
import { readServed } from './served.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshwright-served-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function fileOf(...services: readonly DescService[]): string {
  const path = join(folder, 'descriptors.binpb');
  writeFileSync(path, descriptorSet(services).bytes);
  return path;
}

function refusal(env: Partial<Parameters<typeof readServed>[0]>, found: readonly string[] = []): string[] {
  try {
    readServed({ DESCRIPTORS: '', UPSTREAMS: '', OPENAPI_METHODS: [], ...env }, found);
    return [];
  } catch (error) {
    return (error as Error).message.split('\n');
  }
}

test('serves what UPSTREAMS names of what the set has, and describes what OPENAPI_METHODS names of it', () => {
  const served = readServed(
    {
      DESCRIPTORS: fileOf(CatalogService, OrdersService),
      UPSTREAMS: 'test.orders.v1.OrdersService=orders:50051',
      OPENAPI_METHODS: ['test.orders.v1.OrdersService/GetOrder'],
    },
    [],
  );
  expect([...served.addresses].map(([{ typeName }, address]) => [typeName, address])).toEqual([
    ['test.orders.v1.OrdersService', 'orders:50051'],
  ]);
  expect(new Set(served.bindings.map(({ method }) => method.name))).toEqual(
    new Set(OrdersService.methods.map(({ name }) => name)),
  );
  expect([...served.described!].map(({ name }) => name)).toEqual(['GetOrder']);
  // What orders imports may be in a google.protobuf.Any.
  expect(served.registry.getMessage('test.catalog.v1.Money')?.typeName).toBe('test.catalog.v1.Money');
});

describe('what cannot be served: all that is wrong, with what is wrong elsewhere', () => {
  const other = 'REQUEST_TIMEOUT_MS: more than REQUEST_TIMEOUT_MAX_MS';

  test('a file that is not there', () => {
    const DESCRIPTORS = join(folder, 'gone');
    const UPSTREAMS = 'test.catalog.v1.CatalogService=catalog, test.orders.v1.OrdersService=orders:1';
    expect(refusal({ DESCRIPTORS, UPSTREAMS, OPENAPI_METHODS: ['a.B/C'] }, [other])).toEqual([
      `environment: ${other}`,
      `environment: DESCRIPTORS: "${DESCRIPTORS}": cannot be read: ENOENT: no such file or directory, open '${DESCRIPTORS}'`,
      'environment: UPSTREAMS: "test.catalog.v1.CatalogService=catalog": the address is not host:port',
    ]);
  });

  test('a file of something else', () => {
    const DESCRIPTORS = join(folder, 'text');
    writeFileSync(DESCRIPTORS, 'syntax = "proto3";');
    expect(refusal({ DESCRIPTORS, UPSTREAMS: 'a.B=c:1' })).toEqual([
      `environment: DESCRIPTORS: "${DESCRIPTORS}": is not a google.protobuf.FileDescriptorSet: illegal tag: field no 13 wire type 7`,
    ]);
  });

  test('services and methods that the set lacks, and rules that conflict', () => {
    const get = (value: string) => ({ pattern: { case: 'get', value } }) as const;
    const { service } = library(
      { One: get('/v1/{id}'), Two: get('/v1/{name}'), Three: get('/{id}') },
      { message: 'Request' },
    );
    expect(
      refusal(
        {
          DESCRIPTORS: fileOf(service),
          UPSTREAMS: 'test.Library=library:1,test.catalog.v1.CatalogService=catalog:1',
          OPENAPI_METHODS: ['test.Library/One', 'test.Library/Four'],
        },
        [other],
      ),
    ).toEqual([
      `environment: ${other}`,
      'environment: UPSTREAMS: "test.catalog.v1.CatalogService=catalog:1": DESCRIPTORS has no such service; allowed test.Library',
      'environment: OPENAPI_METHODS: "test.Library/Four": no such method; allowed test.Library/One, test.Library/Two, test.Library/Three',
      'environment: DESCRIPTORS: test.Library/Three: the path takes /healthz, which the gateway itself answers; received "/{id}"; ' +
        'fix: begin it with a prefix such as /v1',
      'environment: DESCRIPTORS: test.Library/Two: the HTTP method and path are also those of GET /v1/{id} of test.Library/One; ' +
        'received "GET /v1/{name}"; fix: change the path of one of them',
    ]);
  });
});
