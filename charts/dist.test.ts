import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { checkDist, writeDist, writeWholeDist } from './dist.ts';
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

const east = 'dist/prod/east/00-namespaces.k8s.yaml';
const west = 'dist/prod/west/00-namespaces.k8s.yaml';
const of = (environment: string, ...rendered: readonly RenderedStage[]) => new Map([[environment, rendered]]);

test('writes what differs, and a second time nothing', () => {
  const rendered = of('prod', stage('west', 'w: 1\n'), stage('east', 'e: 1\n'));
  expect(writeDist(root, rendered)).toEqual([east, west]);
  expect(readFileSync(join(root, west), 'utf8')).toBe('w: 1\n');
  expect(writeDist(root, rendered)).toEqual([]);
  const changed = of('prod', stage('west', 'w: 2\n'), stage('east', 'e: 1\n'));
  expect(writeDist(root, changed)).toEqual([west]);
  expect(() => {
    checkDist(root, changed);
  }).not.toThrow();
});

test('removes what is no longer declared with its folder, and leaves files of others alone', () => {
  writeDist(root, of('prod', stage('west', 'w: 1\n'), stage('east', 'e: 1\n')));
  writeFileSync(join(root, 'dist/prod/README.md'), 'kept');
  expect(writeDist(root, of('prod', stage('east', 'e: 1\n')))).toEqual([west]);
  expect(readdirSync(join(root, 'dist/prod')).sort()).toEqual(['README.md', 'east']);
});

describe('of several environments', () => {
  const lab = 'dist/lab/east/00-namespaces.k8s.yaml';
  const before = 'dist/west/00-namespaces.k8s.yaml';
  beforeEach(() => {
    writeDist(root, of('prod', stage('east', 'e: 1\n')));
    // As versions wrote it that knew no environments.
    mkdirSync(join(root, 'dist/west'));
    writeFileSync(join(root, before), 'w: 1\n');
    writeFileSync(join(root, 'dist/README.md'), 'kept');
  });

  test('one is written without a change of the others', () => {
    expect(writeDist(root, of('lab', stage('east', 'l: 1\n')))).toEqual([lab]);
    expect([east, before].map((path) => existsSync(join(root, path)))).toEqual([true, true]);
  });

  test('all are written, and what belongs to none is removed', () => {
    expect(writeWholeDist(root, of('lab', stage('east', 'l: 1\n')))).toEqual([lab, east, before]);
    expect(readdirSync(join(root, 'dist')).sort()).toEqual(['README.md', 'lab']);
  });
});

test('the check names every file that is missing, different or left over, and writes nothing', () => {
  const both = new Map([
    ['lab', [stage('east', 'l: 1\n')]],
    ['prod', [stage('east', 'e: 1\n'), stage('north', 'n: 1\n')]],
    ['old', [stage('east', 'o: 1\n')]],
  ]);
  writeDist(root, both);
  const fix = 'fix: run npm run synth and commit dist/';
  expect(() => {
    checkDist(
      root,
      new Map([
        ['lab', [stage('east', 'l: 1\n')]],
        ['prod', [stage('east', 'e: 2\n'), stage('west', 'w: 1\n')]],
      ]),
    );
  }).toThrow(
    [
      `${east}: the file differs from what is declared; ${fix}`,
      `${west}: the file is missing; ${fix}`,
      `dist/old/east/00-namespaces.k8s.yaml: nothing declared renders this file; ${fix}`,
      `dist/prod/north/00-namespaces.k8s.yaml: nothing declared renders this file; ${fix}`,
    ].join('\n'),
  );
  expect(readFileSync(join(root, east), 'utf8')).toBe('e: 1\n');
});

test('the check names a folder that is missing as a whole once: that of an environment, and dist/', () => {
  const both = new Map([
    ['lab', [stage('east', 'l: 1\n')]],
    ['prod', [stage('east', 'e: 1\n'), stage('west', 'w: 1\n')]],
  ]);
  const fix = 'fix: run npm run synth and commit dist/';
  const check = () => {
    checkDist(root, both);
  };
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  expect(check).toThrow(new Error(`dist/: the folder is missing; ${fix}`));
  writeDist(root, new Map([...both].slice(0, 1)));
  expect(check).toThrow(new Error(`dist/prod/: the folder is missing; ${fix}`));
});
