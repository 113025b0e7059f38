import { expect, test } from '@jest/globals';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { roomOf, rooms, sourcesOf } from './rooms.ts';

const root = join(import.meta.dirname, '..', '..');
const files = globSync('{charts,infra}/**/*.ts', { cwd: root });

test.each(rooms)('%s is where it was and has sources', (room) => {
  expect(sourcesOf(files, [room])).not.toEqual([]);
});

test('a room has its folders, and neither tests nor a neighbour whose name begins alike', () => {
  expect(
    sourcesOf(
      [
        'charts/gates/rules/rules.ts',
        'charts/gates/claims.ts',
        'charts/gates/claims.test.ts',
        'charts/gates/claims.test-d.ts',
        'charts/gates/__golden__/claims.yaml',
        'charts/gates-of-others/claims.ts',
        'infra/trust/pem.ts',
      ],
      ['charts/gates'],
    ),
  ).toEqual(['charts/gates/rules/rules.ts', 'charts/gates/claims.ts']);
  expect(roomOf('charts/gates-of-others/claims.ts')).toBeUndefined();
});
