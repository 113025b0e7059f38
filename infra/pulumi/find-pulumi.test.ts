import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { missingPulumiPackages } from './find-pulumi.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pulumi-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('a project may have none, some or all of the packages that the engine needs', () => {
  const all = ['@pulumi/pulumi', '@pulumi/kubernetes', '@pulumi/policy'];
  expect(missingPulumiPackages(folder)).toEqual(all);
  const path = join(folder, 'node_modules', '@pulumi/kubernetes');
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'index.js'), '');
  expect(missingPulumiPackages(folder)).toEqual(['@pulumi/pulumi', '@pulumi/policy']);
  expect(missingPulumiPackages()).toEqual([]);
});
