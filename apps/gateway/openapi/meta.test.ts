import { expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { ConformanceService } from '../../../gen/conformance/v1/conformance_pb.js';
import { comments, services } from '../../testing/shop.ts';
import { bindingsOf } from '../binding/bindings.ts';
import { openApiOf } from './openapi.ts';

const all = [...services.values()];

test.each([
  ['the shop', all, false],
  ['the shop behind a proxy that looks at tokens', all, true],
  ['every kind of binding', [ConformanceService], false],
])('the document of %s keeps the meta-schema of OpenAPI 3.1', async (_, described, bearer) => {
  const document = openApiOf({ bindings: bindingsOf(described), comments, bearer });
  const validator = new Validator();
  expect(await validator.validate({ ...structuredClone(document) })).toEqual({ valid: true });
  expect(validator.version).toBe('3.1');
  // It does look: a parameter has to have a place.
  const [item] = Object.values(document.paths);
  const parameters = [{ name: 'id', in: 'cookies', schema: {} }];
  const broken = { ...document, paths: { '/v1': { get: { ...item!['get'], parameters } } } };
  expect(await validator.validate(broken)).toMatchObject({ valid: false });
});
