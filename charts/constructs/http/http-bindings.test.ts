import { describe, expect, test } from '@jest/globals';
import { create, createFileRegistry, type DescMethod } from '@bufbuild/protobuf';
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  MethodOptionsSchema,
} from '@bufbuild/protobuf/wkt';
import { setExtension } from '@bufbuild/protobuf';
import { http } from '../../../gen/google/api/annotations_pb.js';
import { HttpRuleSchema } from '../../../gen/google/api/http_pb.js';
import { bindingsOf, brokenTemplates, istioPaths, overlap, pathRegex } from './http-bindings.ts';

/** A method with these GET bindings, the first one's option and additional ones. */
function method(...templates: readonly string[]): DescMethod {
  const [first, ...others] = templates.map((value) => ({ pattern: { case: 'get' as const, value } }));
  const options = create(MethodOptionsSchema);
  setExtension(options, http, create(HttpRuleSchema, { ...first, additionalBindings: others }));
  const file = create(FileDescriptorProtoSchema, {
    name: 't.proto',
    package: 't',
    syntax: 'proto3',
    messageType: [{ name: 'M' }],
    service: [{ name: 'S', method: [{ name: 'Get', inputType: '.t.M', outputType: '.t.M', options }] }],
  });
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] }));
  const found = registry.getService('t.S')?.methods[0];
  if (found === undefined) throw new Error('no method');
  return found;
}

const binding = (template: string) => bindingsOf(method(template))[0]!;

describe('a path template as Istio has it', () => {
  test.each([
    ['/v1/products', ['/v1/products']],
    ['/v1/prices:watch', ['/v1/prices:watch']],
    ['/v1/products/{id}', ['/v1/products/{*}']],
    ['/v1/{parent=shelves/*}/books/{id}', ['/v1/shelves/{*}/books/{*}']],
    ['/v1/{name=files/**}', ['/v1/files', '/v1/files/{**}']],
    ['/v1/{a.b}/prices:watch', ['/v1/{*}/prices:watch']],
    // An operator has to be a whole segment there: this takes in more, which overlap knows.
    ['/v1/products/{id}:reserve', ['/v1/products/{*}']],
  ])('%s', (template, paths) => {
    expect(istioPaths(binding(template))).toEqual(paths);
  });

  test('additional bindings count, and templates against the grammar are told apart', () => {
    const both = method('/v1/a/{id}', '/v1/b/{id');
    expect(bindingsOf(both).map(({ verb, template }) => `${verb} ${template}`)).toEqual(['GET /v1/a/{id}']);
    expect(brokenTemplates(both)).toEqual(['/v1/b/{id']);
    expect(brokenTemplates(method('v1/a', '/v1/**/a', '/', '/v1/a/'))).toHaveLength(4);
  });
});

describe('a regular expression for a template', () => {
  const matches = (template: string, path: string) =>
    new RegExp(`^(?:${pathRegex(binding(template))})$`).test(path);
  test.each([
    ['/v1/products/{id}', '/v1/products/p-1', true],
    ['/v1/products/{id}', '/v1/products/p-1?view=full', true],
    ['/v1/products/{id}', '/v1/products/', false],
    ['/v1/products/{id}', '/v1/products/p-1/more', false],
    ['/v1/products/{id}:buy', '/v1/products/p-1:buy', true],
    ['/v1/products/{id}:buy', '/v1/products/p-1', false],
    ['/v1/a.b', '/v1/axb', false],
    ['/v1/{name=files/**}', '/v1/files', true],
    ['/v1/{name=files/**}', '/v1/files/a/b?c=d', true],
    ['/v1/{name=files/**}', '/v1/filesystem', false],
  ])('%s of %s: %s', (template, path, expected) => {
    expect(matches(template, path)).toBe(expected);
  });
});

describe('two templates that the gateways cannot tell apart', () => {
  test.each([
    ['/v1/products/{id}', '/v1/products', false],
    ['/v1/products/{id}', '/v1/orders/{id}', false],
    ['/v1/products/{id}', '/v1/products/special', true],
    ['/v1/products/{id}:buy', '/v1/products/{id}', true],
    ['/v1/products:buy', '/v1/products', false],
    ['/v1/caf%C3%A9', '/v1/caf%c3%a9', true],
    ['/v1/{name=**}', '/v1/a/b/c', true],
    ['/v1/{name=**}', '/v1', true],
    ['/v1/{name=**}', '/v2/a', false],
  ])('%s and %s: %s', (a, b, expected) => {
    expect([overlap(binding(a), binding(b)), overlap(binding(b), binding(a))]).toEqual([expected, expected]);
  });

  test('unless their HTTP methods differ', () => {
    const get = binding('/v1/a');
    expect(overlap(get, { ...get, verb: 'POST' })).toBe(false);
    expect(overlap(get, { ...get, verb: '*' })).toBe(true);
  });
});
