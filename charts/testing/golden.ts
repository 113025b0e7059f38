import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from '@jest/globals';
import { Yaml } from 'cdk8s';
import { writeFileAtomic } from '../../core/files.ts';
import type { KubernetesObject } from '../model/mesh-model.ts';

/**
 * Compares objects, as YAML, with `__golden__/<name>.yaml` beside the test. Golden files change only by an explicit
 * `UPDATE_GOLDEN=1 npm run test:unit -- charts`. The digits of images' tags and digests are masked: they change with what is hashed.
 * @param test - `import.meta.url` of the test
 */
export function expectGolden(test: string, name: string, objects: readonly KubernetesObject[]): void {
  expect(objects).not.toHaveLength(0);
  const file = fileURLToPath(new URL(`__golden__/${name}.yaml`, test));
  const yaml = Yaml.stringify(...objects)
    .replaceAll(/(image: \S+-)[0-9a-f]{12}@sha256:[0-9a-f]{64}$/gm, '$1############@sha256:####')
    .replaceAll(/(name: SERVICE_VERSION\n *value: \S+-)[0-9a-f]{12}$/gm, '$1############');
  compare(file, yaml);
}

/** Compares a text with a committed file that is made by code; it changes as golden files do. */
export function expectFile(file: URL, text: string): void {
  compare(fileURLToPath(file), text);
}

function compare(file: string, text: string): void {
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileAtomic(file, text);
  if (!existsSync(file)) throw new Error(`${file} is missing: write it with UPDATE_GOLDEN=1, and read it`);
  expect(text).toBe(readFileSync(file, 'utf8'));
}
