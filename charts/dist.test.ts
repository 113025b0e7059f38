import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { checkDist, writeDist } from './dist.ts';
import { stages } from './model/stage.ts';
import type { RenderedStage } from './synth.ts';

const stage = (cluster: string, yaml: string): RenderedStage => ({
  cluster,
  stage: stages[0],
  path: `${cluster}/00-namespaces.k8s.yaml`,
  yaml,
  objects: [],
});

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'meshwright-dist-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const east = 'dist/east/00-namespaces.k8s.yaml';
const west = 'dist/west/00-namespaces.k8s.yaml';

test('writes what differs, and a second time nothing', () => {
  const rendered = [stage('west', 'w: 1\n'), stage('east', 'e: 1\n')];
  expect(writeDist(root, rendered)).toEqual([east, west]);
  expect(readFileSync(join(root, west), 'utf8')).toBe('w: 1\n');
  expect(writeDist(root, rendered)).toEqual([]);
  expect(writeDist(root, [stage('west', 'w: 2\n'), stage('east', 'e: 1\n')])).toEqual([west]);
  expect(() => {
    checkDist(root, [stage('west', 'w: 2\n'), stage('east', 'e: 1\n')]);
  }).not.toThrow();
});

test('removes what is no longer declared with its folder, and leaves files of others alone', () => {
  writeDist(root, [stage('west', 'w: 1\n'), stage('east', 'e: 1\n')]);
  writeFileSync(join(root, 'dist', 'README.md'), 'kept');
  expect(writeDist(root, [stage('east', 'e: 1\n')])).toEqual([west]);
  expect(existsSync(join(root, 'dist', 'west'))).toBe(false);
  expect(readdirSync(join(root, 'dist')).sort()).toEqual(['README.md', 'east']);
});

test('the check names every file that is missing, different or left over, and writes nothing', () => {
  writeDist(root, [stage('east', 'e: 1\n'), stage('north', 'n: 1\n')]);
  const fix = 'fix: run npm run synth and commit dist/';
  expect(() => {
    checkDist(root, [stage('east', 'e: 2\n'), stage('west', 'w: 1\n')]);
  }).toThrow(
    [
      `${east}: the file differs from what is declared; ${fix}`,
      `${west}: the file is missing; ${fix}`,
      `dist/north/00-namespaces.k8s.yaml: nothing declared renders this file; ${fix}`,
    ].join('\n'),
  );
  expect(readFileSync(join(root, east), 'utf8')).toBe('e: 1\n');
});
