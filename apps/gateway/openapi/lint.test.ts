import { beforeAll, describe, expect, test } from '@jest/globals';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import type { Config } from '@redocly/openapi-core';
import spectralCore from '@stoplight/spectral-core';
import spectralRulesets from '@stoplight/spectral-rulesets';
import { ConformanceService } from '../../../gen/conformance/v1/conformance_pb.js';
import { comments, services } from '../../testing/shop.ts';
import { bindingsOf } from '../binding/bindings.ts';
import { openApiOf } from './openapi.ts';

/** Both linters ask each object for its hasOwnProperty, which a schema of a field of that name is not. */
const unfit = /"(__proto__|constructor|hasOwnProperty)":/g;

const documents: readonly (readonly [name: string, text: string])[] = [
  ['the shop behind a proxy that looks at tokens', [...services.values()], true] as const,
  ['every kind of binding', [ConformanceService], false] as const,
].map(([name, all, bearer]) => {
  const document = openApiOf({ bindings: bindingsOf(all), comments, bearer });
  return [name, JSON.stringify(document).replaceAll(unfit, '"$1_":')];
});

describe('C: linters find no error', () => {
  let redocly: Config;
  const spectral = new spectralCore.Spectral();

  beforeAll(async () => {
    redocly = await createConfig({ extends: ['recommended'] });
    spectral.setRuleset({ extends: [[spectralRulesets.oas as never, 'recommended']] });
  });

  test.each(documents)('Redocly, by its recommended rules, in %s', async (_, source) => {
    const found = await lintFromString({ source, config: redocly, absoluteRef: '/openapi.json' });
    const errors = found.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ ruleId, message }) => `${ruleId}: ${message}`)).toEqual([]);
    // It does look: nobody's licence is known here.
    expect(found.map(({ ruleId }) => ruleId)).toContain('info-license');
  });

  test.each(documents)('Spectral, by its rules for OpenAPI, in %s', async (_, source) => {
    const found = await spectral.run(JSON.parse(source) as Record<string, unknown>);
    const errors = found.filter(({ severity }) => ['error', 'warn', 'info', 'hint'][severity] === 'error');
    expect(errors.map(({ code, message, path }) => `${code} at ${path.join('.')}: ${message}`)).toEqual([]);
    expect(found.map(({ code }) => code)).toContain('info-contact');
  });
});
