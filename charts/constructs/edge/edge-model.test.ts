import { describe, expect, test } from '@jest/globals';
import { create, createFileRegistry, setExtension } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  MethodOptionsSchema,
  MethodOptions_IdempotencyLevel,
} from '@bufbuild/protobuf/wkt';
import {
  FieldRulesSchema,
  field as fieldRules,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { http } from '../../../gen/google/api/annotations_pb.js';
import { HttpRuleSchema } from '../../../gen/google/api/http_pb.js';
import { jwt, withShop } from '../../testing/edge.ts';
import type { Method } from '../scope/method.ts';
import { edgeModel } from './edge-model.ts';
import { HttpEdge } from './http-edge.ts';

const plain = { hosts: ['*'], tls: false, openapi: false, jwt: undefined, hindered: () => false };

/** A method `Search` of GET /v1/things, whose request has one field of these rules. */
function searching(
  type: FieldDescriptorProto_Type,
  rules: MessageInitShape<typeof FieldRulesSchema>,
  label = FieldDescriptorProto_Label.OPTIONAL,
  template = '/v1/things',
): Method {
  const fieldOptions = create(FieldOptionsSchema);
  setExtension(fieldOptions, fieldRules, create(FieldRulesSchema, rules));
  const options = create(MethodOptionsSchema, {
    idempotencyLevel: MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS,
  });
  const rule = create(HttpRuleSchema, { pattern: { case: 'get', value: template } });
  setExtension(options, http, rule);
  const file = create(FileDescriptorProtoSchema, {
    name: 't.proto',
    package: 't',
    syntax: 'proto3',
    messageType: [
      { name: 'Request', field: [{ name: 'field', number: 1, type, label, options: fieldOptions }] },
    ],
    service: [
      { name: 'S', method: [{ name: 'Search', inputType: '.t.Request', outputType: '.t.Request', options }] },
    ],
  });
  const service = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] })).getService('t.S');
  const callee = { name: 's', namespace: { name: 'n' } };
  return { service: callee, descriptor: service!.methods[0]!, kind: 'unary' } as unknown as Method;
}

describe('the request to try', () => {
  test('works without arguments, and has one answer, where there is one', () => {
    withShop(({ catalog }) => {
      const { watchPrices, getProduct, listProducts } = catalog.method;
      const example = (...methods: Method[]) => edgeModel({ ...plain, methods }).example;
      expect(example(watchPrices, getProduct, listProducts)).toEqual({ path: '/v1/products', token: false });
      expect(example(getProduct, watchPrices)).toEqual({ path: '/v1/prices:watch', token: false });
      expect(example(getProduct)).toEqual({ path: '/v1/products/ID', token: false });
    });
  });

  test('names its variable as its field is named', () => {
    withShop(({ inventory }) => {
      const methods = [inventory.method.reserve, inventory.method.getStock];
      expect(edgeModel({ ...plain, methods }).example).toEqual({
        path: '/v1/stock/PRODUCT_ID',
        token: false,
      });
    });
  });

  test('is none where nothing is exposed by GET', () => {
    withShop(({ inventory }) => {
      expect(edgeModel({ ...plain, methods: [inventory.method.reserve] })).toEqual({
        hosts: ['*'],
        tls: false,
        openapi: false,
        reads: [],
      });
    });
  });

  test('rather has a variable than a token', () => {
    withShop(({ catalog }) => {
      const { getProduct, listProducts } = catalog.method;
      const methods = [listProducts, getProduct];
      expect(edgeModel({ ...plain, methods, jwt }).example).toEqual({ path: '/v1/products', token: true });
      expect(edgeModel({ ...plain, methods, jwt: { ...jwt, except: [getProduct] } }).example).toEqual({
        path: '/v1/products/ID',
        token: false,
      });
    });
  });

  const { STRING, INT32 } = FieldDescriptorProto_Type;
  test.each<[string, Method, boolean]>([
    [
      'a text of at most so much',
      searching(STRING, { type: { case: 'string', value: { maxLen: 9n } } }),
      true,
    ],
    ['a number from 0 up', searching(INT32, { type: { case: 'int32', value: gte(0) } }), true],
    ['a number from 1 up', searching(INT32, { type: { case: 'int32', value: gte(1) } }), false],
    [
      'a text that may not be empty',
      searching(STRING, { type: { case: 'string', value: { minLen: 1n } } }),
      false,
    ],
    ['a required field', searching(STRING, { required: true }), false],
    ['a rule of its own', searching(STRING, { celExpression: ['this != ""'] }), false],
    [
      'a list of at most so many',
      searching(
        STRING,
        { type: { case: 'repeated', value: { maxItems: 2n } } },
        FieldDescriptorProto_Label.REPEATED,
      ),
      true,
    ],
  ])('with %s in the query: %s', (_, method, works) => {
    expect(edgeModel({ ...plain, methods: [method] }).example).toEqual(
      works ? { path: '/v1/things', token: false } : undefined,
    );
  });
});

function gte(value: number) {
  return { greaterThan: { case: 'gte' as const, value } };
}

test('native calls to try: of each workload one without side effects that needs no token and is not hindered, and one that does', () => {
  withShop(({ catalog, orders }) => {
    const { getProduct, listProducts, watchPrices } = catalog.method;
    const { createOrder, getOrder } = orders.method;
    const methods = [watchPrices, getProduct, listProducts, createOrder, getOrder];
    const model = (more: object) => edgeModel({ ...plain, methods, grpc: methods, ...more }).grpc;
    const call = (workload: string, path: string, token: boolean) => ({
      ...{ workload, namespace: 'shop', path: `/test.${workload}.v1.${path}`, token },
    });
    const ofOrders = call('orders', 'OrdersService/GetOrder', false);
    expect(model({})).toEqual([call('catalog', 'CatalogService/GetProduct', false), ofOrders]);
    expect(model({ hindered: (method: Method) => method === getProduct })).toEqual([
      call('catalog', 'CatalogService/ListProducts', false),
      ofOrders,
    ]);
    expect(model({ jwt: { ...jwt, except: [listProducts] } })).toEqual([
      call('catalog', 'CatalogService/ListProducts', false),
      call('catalog', 'CatalogService/GetProduct', true),
      { ...ofOrders, token: true },
    ]);
    expect(edgeModel({ ...plain, methods })).not.toHaveProperty('grpc');
  });
});

test('the model of an edge says how it is called', () => {
  withShop(({ mesh, shop, catalog }) => {
    new HttpEdge(shop, 'edge', {
      expose: [catalog.method.getProduct],
      hosts: ['api.example', 'www.example'],
      tls: { secret: 'api-tls' },
      openapi: true,
    });
    expect(mesh.model().workloads.map(({ name, edge }) => [name, edge])).toEqual([
      ['catalog', undefined],
      ['orders', undefined],
      ['inventory', undefined],
      [
        'edge',
        {
          hosts: ['api.example', 'www.example'],
          tls: true,
          openapi: true,
          example: { path: '/v1/products/ID', token: false },
          reads: [{ workload: 'catalog', namespace: 'shop', path: '/v1/products/ID' }],
        },
      ],
    ]);
  });
});

describe('the reads of an edge', () => {
  const reads = (methods: readonly Method[], more: object = {}) =>
    edgeModel({ ...plain, methods, ...more }).reads;

  test('are one of each workload, by GET, of a method without side effects that answers once', () => {
    withShop(({ catalog, orders, inventory }) => {
      const { watchPrices, getProduct, listProducts } = catalog.method;
      const { createOrder, listOrders } = orders.method;
      const { getStock, reserve } = inventory.method;
      const ofCatalog = { workload: 'catalog', namespace: 'shop', path: '/v1/products' };
      expect(reads([watchPrices])).toEqual([]);
      expect(reads([watchPrices, createOrder, listProducts, getProduct, reserve])).toEqual([ofCatalog]);
      expect(reads([getStock, listProducts, listOrders])).toEqual([
        { workload: 'inventory', namespace: 'shop', path: '/v1/stock/ID' },
        ofCatalog,
        { workload: 'orders', namespace: 'shop', path: '/v1/orders' },
      ]);
    });
  });

  test('are none before which something stands that may answer in the place of the service', () => {
    withShop(({ catalog }) => {
      const { getProduct, listProducts } = catalog.method;
      const methods = [getProduct, listProducts];
      const [ofGet, ofList] = ['/v1/products/ID', '/v1/products'].map((path) => [
        { workload: 'catalog', namespace: 'shop', path },
      ]);
      expect(reads(methods)).toEqual(ofList);
      expect(reads(methods, { hindered: (method: Method) => method === listProducts })).toEqual(ofGet);
      expect(reads(methods, { jwt: { ...jwt, except: [getProduct] } })).toEqual(ofGet);
      expect(reads(methods, { jwt })).toEqual([]);
    });
  });

  test.each([
    [FieldDescriptorProto_Type.STRING, '/v1/things/ID'],
    [FieldDescriptorProto_Type.BYTES, '/v1/things/ID'],
    [FieldDescriptorProto_Type.INT64, '/v1/things/1'],
    [FieldDescriptorProto_Type.DOUBLE, '/v1/things/1'],
    [FieldDescriptorProto_Type.BOOL, '/v1/things/true'],
  ])('bring a value that a field of type %s can have', (type, path) => {
    const method = searching(type, {}, FieldDescriptorProto_Label.OPTIONAL, '/v1/things/{field}');
    expect(reads([method])).toEqual([{ workload: 's', namespace: 'n', path }]);
  });
});
