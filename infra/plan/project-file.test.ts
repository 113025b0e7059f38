import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { synthesize } from '../../charts/synth.ts';
import { packRules as rules } from '../../charts/gates/rules/rules.ts';
import shop from '../../charts/testing/declaration.ts';
import { keptProject } from '../../charts/testing/project.ts';
import { configKeys, parseConfig, project } from './stack-config.ts';

const root = join(import.meta.dirname, '..', '..');

interface Declared {
  readonly type: string;
  readonly description: string;
  readonly default?: unknown;
}

describe('Pulumi.yaml', () => {
  const settings = parse(readFileSync(join(root, 'Pulumi.yaml'), 'utf8')) as Record<string, unknown>;
  const { 'pulumi:disable-default-providers': disabled, ...own } = settings['config'] as Record<
    string,
    unknown
  >;

  test('names the project that the program reads the values of', () => {
    expect(settings['name']).toBe(project);
    expect(disabled).toEqual(['*']);
  });

  test('declares every key of the program, with the same defaults, and no other', () => {
    expect(Object.keys(own)).toEqual(configKeys);
    const declared = Object.entries(own) as [string, Declared][];
    for (const [key, { type, description }] of declared)
      expect([key, type, description.length > 20]).toEqual([
        key,
        key === 'istioctl' || key === 'trustDir' ? 'string' : 'object',
        true,
      ]);
    const defaults = Object.fromEntries(
      declared.flatMap(([key, value]) => ('default' in value ? [[key, value.default]] : [])),
    );
    expect(parseConfig(defaults, root, 'Pulumi.yaml')).toEqual(parseConfig({}, root, 'nothing'));
    expect(Object.keys(defaults)).toEqual(configKeys.filter((key) => key !== 'clusters'));
  });
});

test('the environment prod synthesizes into objects that the policy pack lets through', () => {
  const mesh = shop.mesh({ root: keptProject(), environment: 'prod' });
  const objects = synthesize(mesh).flatMap((stage) => stage.objects);
  expect(objects.length).toBeGreaterThan(40);
  expect(
    objects.flatMap((object) =>
      rules.flatMap(({ violations }) => violations(object).map((said) => [object.metadata.name, said])),
    ),
  ).toEqual([]);
});
