import { describe, expect, test } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import shop from '../../mesh.ts';
import { synthesize } from '../../charts/synth.ts';
import { packRules as rules } from '../../charts/gates/rules/rules.ts';
import { configKeys, missingClusters, parseConfig, project } from './stack-config.ts';
import { readStackFile } from './stack-file.ts';

/** The checkout's own: its declaration and its stack files belong together. */
const root = join(import.meta.dirname, '..', '..');

interface Declared {
  readonly type: string;
  readonly description: string;
  readonly default?: unknown;
}
const read = (file: string) => parse(readFileSync(join(root, file), 'utf8')) as Record<string, unknown>;
const noDefaultProvider = { 'pulumi:disable-default-providers': ['*'] };

describe('Pulumi.yaml', () => {
  const settings = read('Pulumi.yaml');
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

describe('the stack files', () => {
  test('are those of the environments', () => {
    const stacks = readdirSync(root).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
    expect(stacks.sort()).toEqual([...shop.environments].sort());
  });

  test.each(['lab', 'prod'])('%s is what the program takes, and has no default provider', (stack) => {
    expect(read(`Pulumi.${stack}.yaml`)['config']).toMatchObject(noDefaultProvider);
    expect(readStackFile(root, stack).remoteAccess).toEqual({ generation: 1, tokenDays: 30 });
  });

  test('prod reaches every cluster of its declaration, and keeps its secrets by a key of the cloud', () => {
    const mesh = shop.mesh({ root, environment: 'prod' });
    const names = mesh.model().clusters.map(({ name }) => name);
    const config = readStackFile(root, 'prod');
    expect(missingClusters(config, names, 'prod')).toEqual([]);
    expect(config.trustDir).toBe(join(homedir(), 'example-prod-trust'));
    expect(read('Pulumi.prod.yaml')['secretsprovider']).toMatch(/^awskms:\/\/alias\/example-/);
  });

  test('the environment prod synthesizes into objects that the policy pack lets through', () => {
    const objects = synthesize(shop.mesh({ root, environment: 'prod' })).flatMap((stage) => stage.objects);
    expect(objects.length).toBeGreaterThan(40);
    expect(
      objects.flatMap((object) =>
        rules.flatMap(({ violations }) => violations(object).map((said) => [object.metadata.name, said])),
      ),
    ).toEqual([]);
  });
});
