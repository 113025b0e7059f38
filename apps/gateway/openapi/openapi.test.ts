import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { createRegistry } from '@bufbuild/protobuf';
import type { DescService } from '@bufbuild/protobuf';
import { ConformanceService } from '../../../gen/conformance/v1/conformance_pb.js';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../../gen/test/orders/v1/orders_pb.js';
import { comments, services } from '../../testing/shop.ts';
import { library } from '../../../http-rule/testing/library.ts';
import { bindingsOf, routerOf } from '../binding/bindings.ts';
import { codecOf } from '../codec/codec.ts';
import { curlOf, exampleOf, parametersOf, resolve } from './example.ts';
import { openApiOf } from './openapi.ts';
import type { OpenApi, Operation } from './types.ts';

const describing = (...all: DescService[]) =>
  openApiOf({ bindings: bindingsOf(all), comments, bearer: false });
const shop = describing(...services.values());
const conformance = describing(ConformanceService);

/** Every operation with its HTTP method and path. */
function operationsOf({ paths }: OpenApi): { method: string; path: string; operation: Operation }[] {
  return Object.entries(paths).flatMap(([path, { 'x-additionalOperations': others, ...item }]) =>
    [...Object.entries(item), ...Object.entries(others ?? {})].map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
}

const operationOf = (document: OpenApi, name: string) =>
  operationsOf(document).find(({ operation }) => operation.operationId.endsWith(`.${name}`))!;

test('the document of the sample, whatever services the project has beside it', () => {
  const file = new URL('__golden__/shop.openapi.json', import.meta.url);
  const sample = describing(CatalogService, InventoryService, OrdersService);
  const text = `${JSON.stringify(sample, undefined, 2)}\n`;
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
});

describe.each<[string, OpenApi]>([
  ['the shop', shop],
  ['every kind of binding', conformance],
])('%s', (_, document) => {
  test('every reference leads somewhere', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref!);
    expect(references.length).toBeGreaterThan(0);
    expect(references.filter((ref) => (resolve(ref, document) as unknown) === undefined)).toEqual([]);
  });

  test('every part of a path is a required parameter, and the other way round', () => {
    for (const { path, operation } of operationsOf(document)) {
      const declared = parametersOf(operation, document).filter((each) => each.in === 'path');
      const named = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name);
      expect(declared.map(({ name }) => name)).toEqual(named);
      expect(declared.every(({ required }) => required === true)).toBe(true);
    }
  });

  test('paths, operations and parameters are told apart', () => {
    const all = operationsOf(document);
    const shapes = Object.keys(document.paths).map((path) => path.replaceAll(/\{[^}]*\}/g, '{}'));
    expect(new Set(shapes).size).toBe(shapes.length);
    expect(new Set(all.map(({ operation }) => operation.operationId)).size).toBe(all.length);
    for (const { operation } of all) {
      const names = parametersOf(operation, document).map((each) => `${each.in} ${each.name}`);
      expect(new Set(names).size).toBe(names.length);
    }
  });

  test('names and tags are as OpenAPI has them', () => {
    const names = Object.values(document.components).flatMap((each) => Object.keys(each));
    expect(names.filter((name) => !/^[A-Za-z0-9._-]+$/.test(name))).toEqual([]);
    const tags = document.tags.map(({ name }) => name);
    for (const { operation } of operationsOf(document))
      expect(tags).toEqual(expect.arrayContaining([...operation.tags]));
  });
});

describe('what it says is what the gateway takes', () => {
  const bindings = bindingsOf([ConformanceService, ...services.values()]);
  const router = routerOf(bindings);
  const document = describing(ConformanceService, ...services.values());
  const registry = createRegistry(ConformanceService.file);
  const shown = new Map(
    operationsOf(document).map(({ operation, ...place }) => [operation.operationId, { operation, ...place }]),
  );
  const cases = bindings.flatMap((binding) => {
    const { parent, name } = binding.method;
    const index = bindings.filter(({ method }) => method === binding.method).indexOf(binding);
    const found = shown.get(`${parent.typeName}.${name}${index === 0 ? '' : `.${index + 1}`}`);
    return found === undefined ? [] : [{ binding, ...found, id: found.operation.operationId }];
  });

  test('all bindings are there but the one that OpenAPI cannot tell from another', () => {
    expect(bindings.length - cases.length).toBe(1);
    expect(operationOf(document, 'PrecedenceVariable').operation.description).toContain(
      'Of paths with more segments, `GET /v1/precedence/{string_value=**}` leads to conformance.v1.ConformanceService.PrecedenceRest',
    );
  });

  test.each(cases)('$id', ({ binding, method, path, operation }) => {
    const parameters = parametersOf(operation, document);
    const filled = path.replaceAll(/\{([^}]*)\}/g, (_, name: string) => {
      const { schema } = parameters.find((each) => each.in === 'path' && each.name === name)!;
      return encodeURIComponent(String(exampleOf(schema, document)));
    });
    const found = router.find(method, filled);
    if (found.kind !== 'route') throw new Error(`${method} ${filled} leads nowhere`);
    expect(found.target).toBe(binding);
    const codec = codecOf(binding, registry);
    const content = Object.values(operation.requestBody?.content ?? {})[0];
    const value = content === undefined ? undefined : exampleOf(content.schema, document);
    const body = value === undefined ? undefined : Buffer.from(JSON.stringify(value));
    codec.decode({ path: found.path, query: '', body });
    const query = parameters.filter((each) => each.in === 'query');
    for (const { name, schema } of query) {
      const one = exampleOf(schema, document);
      for (const given of Array.isArray(one) ? (one as unknown[]) : [one]) {
        codec.decode({ path: found.path, query: `${name}=${encodeURIComponent(String(given))}`, body });
      }
    }
  });
});

describe('templates', () => {
  test.each([
    ['/v1/{name=shelves/*}', '/v1/shelves/{name_1}'],
    ['/v1/{name=shelves/*/books/*}', '/v1/shelves/{name_1}/books/{name_2}'],
    ['/v1/{name=**}:read', '/v1/{name}:read'],
    ['/v1/*/{name}/**', '/v1/{wildcard_1}/{name}/{wildcard_2}'],
    ['/v1/a%3Fb/{main_author.id}', '/v1/a%3Fb/{main_author_id}'],
  ])('%s is %s', (template, path) => {
    const { service } = library({ M: { pattern: { case: 'get', value: template } } });
    expect(Object.keys(describing(service).paths)).toEqual([path]);
  });

  test('methods of one path share its names', () => {
    const { service } = library({
      Get: { pattern: { case: 'get', value: '/v1/books/{name}' } },
      Delete: { pattern: { case: 'delete', value: '/v1/{name=books/*}' } },
    });
    const document = describing(service);
    expect(Object.keys(document.paths)).toEqual(['/v1/books/{name}']);
    const [got, deleted] = operationsOf(document).map(
      ({ operation }) => parametersOf(operation, document)[0],
    );
    expect(got).toEqual({ name: 'name', in: 'path', required: true, schema: { type: 'string' } });
    expect(deleted).toEqual({ ...got, description: 'One segment of `name`.' });
  });
});

describe('what protos say', () => {
  test('comments are summaries and descriptions', () => {
    const { operation } = operationOf(shop, 'GetProduct');
    expect(operation.summary).toBe('One product by its id');
    expect(operation.description).toBe('NOT_FOUND when there is none.');
    expect(shop.components.schemas['test.catalog.v1.Money']).toMatchObject({
      description: 'An amount of money, as in ISO 4217.',
      properties: { minorUnits: { type: 'string', format: 'int64' } },
    });
  });

  test('constraints are keywords', () => {
    expect(shop.components.schemas['test.inventory.v1.ReserveRequest']).toMatchObject({
      properties: {
        reservationId: { type: 'string', minLength: 1, maxLength: 100 },
        quantity: { type: 'integer', minimum: 1 },
      },
      required: ['reservationId', 'productId', 'quantity'],
    });
    expect(operationOf(shop, 'Reserve').operation.requestBody?.required).toBe(true);
  });

  test('the JSON form of every kind of field', () => {
    const { properties } = conformance.components.schemas['conformance.v1.EveryKind'] as {
      properties: Record<string, unknown>;
    };
    expect(properties).toMatchObject({
      bytesValue: { type: 'string', contentEncoding: 'base64' },
      kind: { $ref: '#/components/schemas/conformance.v1.Kind' },
      nestedMap: {
        type: 'object',
        additionalProperties: { $ref: '#/components/schemas/conformance.v1.Nested' },
      },
      boolKeys: { type: 'object', propertyNames: { enum: ['true', 'false'] } },
      int64Wrapper: { type: ['string', 'null'], format: 'int64' },
      doubleWrapper: {
        anyOf: [{ type: 'number' }, { enum: ['NaN', 'Infinity', '-Infinity'] }, { type: 'null' }],
      },
      timestamp: { type: 'string', format: 'date-time' },
      nullValue: { type: 'null' },
      repeatedNested: { type: 'array', items: { $ref: '#/components/schemas/conformance.v1.Nested' } },
      'another-name': { type: 'string' },
    });
    // A name of JavaScript's own is a name like any other.
    expect(Object.hasOwn(properties, '__proto__')).toBe(true);
  });

  test('a part of the answer that may not be set is null', () => {
    const { operation } = operationOf(conformance, 'ResponseOptional');
    expect(operation.responses['200']).toMatchObject({
      content: { 'application/json': { schema: { type: ['string', 'null'] } } },
    });
  });

  test('streams are NDJSON or events, and WebSockets in words', () => {
    const { operation } = operationOf(conformance, 'BidiStream');
    expect(Object.keys(operation.requestBody?.content ?? {})).toEqual(['application/x-ndjson']);
    expect(operation.responses['200']).toMatchObject({
      content: { 'application/x-ndjson': {}, 'text/event-stream': { schema: { type: 'string' } } },
    });
    expect(operation.description).toContain('Also over WebSocket (subprotocol `grpc-json.v1`)');
  });

  test('methods that OpenAPI does not know', () => {
    expect(conformance.paths['/v1/methods/{string_value}']?.['x-additionalOperations']).toHaveProperty(
      'LINK',
    );
  });
});

test('tokens are spoken of where a proxy looks at them', () => {
  const all = [...services.values()];
  const document = openApiOf({ bindings: bindingsOf(all), comments, bearer: true });
  expect(document.components.securitySchemes).toEqual({ bearer: { type: 'http', scheme: 'bearer' } });
  expect(document.security).toEqual([{}, { bearer: [] }]);
  expect(shop.security).toEqual([]);
});

test.each([
  ['GetProduct', shop, 'curl "$GATEWAY/v1/products/text"'],
  [
    'CreateOrder',
    shop,
    `curl "$GATEWAY/v1/orders" -H 'content-type: application/json' -d '{"productId":"text","quantity":1,"requestId":"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}'`,
  ],
  ['WatchPrices', shop, 'curl -N "$GATEWAY/v1/prices:watch"'],
  ['WatchQuote', shop, 'curl -N "$GATEWAY/v1/quotes:watch?productId=text&quantity=1"'],
  ['MethodDelete', conformance, 'curl -X DELETE "$GATEWAY/v1/methods/text"'],
  ['MethodHead', conformance, 'curl -I "$GATEWAY/v1/methods/text"'],
])('%s by curl', (name, document, line) => {
  const { method, path, operation } = operationOf(document, name);
  expect(curlOf(method, path, operation, document)).toBe(line);
});
