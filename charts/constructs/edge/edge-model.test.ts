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

const plain = { hosts: ['*'], tls: false, openapi: false, jwt: undefined };

/** A method `Search` of GET /v1/things, whose request has one field of these rules. */
function searching(
  type: FieldDescriptorProto_Type,
  rules: MessageInitShape<typeof FieldRulesSchema>,
  label = FieldDescriptorProto_Label.OPTIONAL,
): Method {
  const fieldOptions = create(FieldOptionsSchema);
  setExtension(fieldOptions, fieldRules, create(FieldRulesSchema, rules));
  const options = create(MethodOptionsSchema);
  const rule = create(HttpRuleSchema, { pattern: { case: 'get', value: '/v1/things' } });
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
  return { descriptor: service!.methods[0]!, kind: 'unary' } as Method;
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
        },
      ],
    ]);
  });
});
