import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { projectName } from './project-name.ts';

// Two repositories with one backend and one name of a project would share the state of a stack.
test('a project is called as its Pulumi.yaml says, and meshwright where that says nothing', () => {
  const folder = mkdtempSync(join(tmpdir(), 'project-'));
  expect(projectName(folder)).toBe('meshwright');
  writeFileSync(join(folder, 'Pulumi.yaml'), 'name: acme\nruntime: nodejs\n');
  expect(projectName(folder)).toBe('acme');
  writeFileSync(join(folder, 'Pulumi.yaml'), 'runtime: nodejs\n');
  expect(projectName(folder)).toBe('meshwright');
  rmSync(folder, { recursive: true });
});
