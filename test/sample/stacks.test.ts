import { homedir } from 'node:os';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { missingClusters } from '../../infra/plan/stack-config.ts';
import { readStackFile } from '../../infra/plan/stack-file.ts';
import shop from '../../mesh.ts';

/** The declaration and its stack files belong together. */
const root = join(import.meta.dirname, '..', '..');
const read = (file: string) => parse(readFileSync(join(root, file), 'utf8')) as Record<string, unknown>;

test('the stack files are those of the environments', () => {
  const stacks = readdirSync(root).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
  expect(stacks.sort()).toEqual([...shop.environments].sort());
});

test.each(['lab', 'prod'])(
  'the stack file of %s is what the program takes, and has no default provider',
  (stack) => {
    const config = { 'pulumi:disable-default-providers': ['*'] };
    expect(read(`Pulumi.${stack}.yaml`)['config']).toMatchObject(config);
    expect(readStackFile(root, stack).remoteAccess).toEqual({ generation: 1, tokenDays: 30 });
  },
);

test('prod reaches every cluster of its declaration, and keeps its secrets by a key of the cloud', () => {
  const mesh = shop.mesh({ root, environment: 'prod' });
  const names = mesh.model().clusters.map(({ name }) => name);
  const config = readStackFile(root, 'prod');
  expect(missingClusters(config, names, 'prod')).toEqual([]);
  expect(config.trustDir).toBe(join(homedir(), 'example-prod-trust'));
  expect(read('Pulumi.prod.yaml')['secretsprovider']).toMatch(/^awskms:\/\/alias\/example-/);
});
