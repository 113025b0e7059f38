import { describe, expect, test } from '@jest/globals';
import { fromBinary, toJson } from '@bufbuild/protobuf';
import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { BadRequestSchema } from '../../../gen/google/rpc/error_details_pb.js';
import { field, library } from '../../../http-rule/testing/library.ts';
import type { Rule } from '../../../http-rule/testing/library.ts';
import { findDetail } from '../../runtime/status.ts';
import type { StatusError } from '../../runtime/status.ts';
import { bindingsOf, routerOf } from '../binding/bindings.ts';
import { codecOf } from './codec.ts';

const contact: JsonObject = {
  name: 'Contact',
  field: [
    field(1, 'email', 'string', { oneofIndex: 0 }),
    field(2, 'phone', 'string', { oneofIndex: 0 }),
    field(3, 'address', '.test.Address', { oneofIndex: 0 }),
    field(4, 'name', 'string'),
    field(5, 'home', '.test.Address'),
    field(6, 'since', '.google.protobuf.Timestamp'),
    field(7, 'mask', '.google.protobuf.FieldMask'),
    field(8, 'lasts', '.google.protobuf.Duration'),
    field(9, 'rare', '.google.protobuf.BoolValue'),
  ],
  oneofDecl: [{ name: 'way' }],
};
const address: JsonObject = {
  name: 'Address',
  field: [
    field(1, 'street', 'string', { oneofIndex: 0 }),
    field(2, 'box', 'string', { oneofIndex: 0 }),
    field(3, 'town', 'string'),
  ],
  oneofDecl: [{ name: 'place' }],
};

const put = (value: string, body: string): Rule => ({ pattern: { case: 'put', value }, body });

/** The request that comes of `PUT url` by a rule, in JSON. */
function decode(rule: Rule, url: string, body: string): JsonValue {
  const { service, registry } = library({ M: rule }, { message: 'Contact', messages: [contact, address] });
  const [path = '', query = ''] = url.split('?');
  const found = routerOf(bindingsOf([service])).find('PUT', path);
  if (found.kind !== 'route') throw new Error(found.kind);
  const { input } = found.target.method;
  const bytes = codecOf(found.target, registry).decode({ path: found.path, query, body: Buffer.from(body) });
  return toJson(input, fromBinary(input, bytes), { registry });
}

describe('B12: a body with a field of a oneof of which the path has another', () => {
  test.each<[Rule, string, string, string, string]>([
    [
      put('/v1/{phone}', '*'),
      '/v1/1',
      '{"email":"a"}',
      'body.email: phone of the same oneof is in the path',
      'email',
    ],
    [
      put('/v1/{phone}', '*'),
      '/v1/1',
      '{"email":""}',
      'body.email: phone of the same oneof is in the path',
      'email',
    ],
    [
      put('/v1/{phone}', '*'),
      '/v1/1',
      '{"address":{}}',
      'body.address: phone of the same oneof is in the path',
      'address',
    ],
    [
      put('/v1/{address.town}', '*'),
      '/v1/t',
      '{"email":"a"}',
      'body.email: address of the same oneof is in the path',
      'email',
    ],
    [
      put('/v1/{home.street}', '*'),
      '/v1/s',
      '{"home":{"box":"b"}}',
      'body.home.box: street of the same oneof is in the path',
      'home.box',
    ],
    [
      put('/v1/{home.street}', 'home'),
      '/v1/s',
      '{"box":"b"}',
      'body.box: street of the same oneof is in the path',
      'home.box',
    ],
    [put('/v1/{phone}', 'email'), '/v1/1', '"a"', 'body: phone of the same oneof is in the path', 'email'],
    [put('/v1/{phone}', 'address'), '/v1/1', '{}', 'body: phone of the same oneof is in the path', 'address'],
    // As in the query.
    [
      put('/v1/{phone}', 'home'),
      '/v1/1?email=a',
      '{}',
      'query parameter "email": phone of the same oneof is also given',
      'email',
    ],
  ])('%j %s %s', (rule, url, body, message, violated) => {
    let error: unknown;
    try {
      decode(rule, url, body);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ name: 'StatusError', code: status.INVALID_ARGUMENT, message });
    const violations = findDetail(error as StatusError, BadRequestSchema)?.fieldViolations;
    expect(violations).toMatchObject([{ field: violated }]);
  });

  test.each<[Rule, string, string, JsonValue]>([
    [put('/v1/{phone}', '*'), '/v1/1', '{"email":null,"name":"n"}', { phone: '1', name: 'n' }],
    [put('/v1/{phone}', '*'), '/v1/1', '{"phone":"2"}', { phone: '1' }],
    [put('/v1/{phone}', 'email'), '/v1/1', '', { phone: '1' }],
    [put('/v1/{phone}', 'email'), '/v1/1', 'null', { phone: '1' }],
    [
      put('/v1/{address.town}', '*'),
      '/v1/t',
      '{"address":{"box":"b"}}',
      { address: { box: 'b', town: 't' } },
    ],
    [put('/v1/{home.street}', '*'), '/v1/s', '{"home":{"town":"t"}}', { home: { street: 's', town: 't' } }],
    [
      put('/v1/{home.street}', '*'),
      '/v1/s',
      '{"address":{"box":"b"}}',
      { home: { street: 's' }, address: { box: 'b' } },
    ],
  ])('%j %s %s is taken: nothing is lost', (rule, url, body, expected) => {
    expect(decode(rule, url, body)).toEqual(expected);
  });
});

describe('B12: a message that the path and the body both have is the path’s, not made of the two', () => {
  test.each<[string, string, string, JsonValue]>([
    ['since', '1970-01-01T00:00:00.5Z', '1971-01-01T00:00:00Z', '1970-01-01T00:00:00.500Z'],
    ['since', '1970-01-01T00:00:01Z', '1970-01-01T00:00:00.5Z', '1970-01-01T00:00:01Z'],
    ['lasts', '0.5s', '7s', '0.500s'],
    ['mask', 'a,b', 'c', 'a,b'],
    ['rare', 'false', 'true', false],
  ])('%s: %s in the path, %s in the body', (name, path, body, expected) => {
    const text = JSON.stringify({ [name]: name === 'rare' ? body === 'true' : body, name: 'n' });
    const rule = put(`/v1/{${name}}`, '*');
    expect(decode(rule, `/v1/${path}`, text)).toEqual({ [name]: expected, name: 'n' });
  });
});

describe('B12: a rule by which a value would always be lost does not start', () => {
  const fix = 'fix: remove one of them from the path';
  test.each<[Rule, string]>([
    [
      put('/v1/{phone}/{email}', '*'),
      `test.Library/M: variable email: phone of the same oneof is also in the path; received "/v1/{phone}/{email}"; ${fix}`,
    ],
    [
      put('/v1/{phone}/{address.town}', '*'),
      'test.Library/M: variable address.town: phone of the same oneof is also in the path; ' +
        `received "/v1/{phone}/{address.town}"; ${fix}`,
    ],
    [
      put('/v1/{home.box}/{home.street}', ''),
      'test.Library/M: variable home.street: home.box of the same oneof is also in the path; ' +
        `received "/v1/{home.box}/{home.street}"; ${fix}`,
    ],
    [
      put('/v1/{name}', 'name'),
      'test.Library/M: body name: the field is also in the path; received "/v1/{name}"; ' +
        'fix: remove it from the path, or name another field for the body',
    ],
  ])('%j', (rule, message) => {
    const { service } = library({ M: rule }, { message: 'Contact', messages: [contact, address] });
    expect(() => bindingsOf([service])).toThrow(new Error(message));
  });
});
