import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { registry, services } from './services.ts';

test('every service below proto/shop has its line', () => {
  const folder = join(import.meta.dirname, '../../proto/shop');
  const declared = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.proto'))
    .flatMap((file) => {
      const text = readFileSync(join(folder, file), 'utf8');
      const name = /^package ([\w.]+);/m.exec(text)?.[1] ?? '';
      return [...text.matchAll(/^service (\w+) /gm)].map((match) => `${name}.${match[1] ?? ''}`);
    });
  expect(declared.length).toBeGreaterThan(0);
  expect([...services.keys()].sort()).toEqual(declared.sort());
});

test('the registry knows their messages', () => {
  expect(registry.getMessage('shop.catalog.v1.Money')?.typeName).toBe('shop.catalog.v1.Money');
});
