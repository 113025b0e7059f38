import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from '@jest/globals';
import ts from 'typescript';
import { isAllowed, mayImport, roomOf } from '../../scripts/rooms.js';

const root = join(import.meta.dirname, '../..');

/** Folders of sources, from their rooms' names. */
const tops = [...new Set(Object.keys(mayImport).map((room) => room.split('/')[0] ?? room))];

function sources(top: string): readonly string[] {
  // The declaration, which may be gone with the rest of the sample.
  if (top.endsWith('.ts')) return existsSync(join(root, top)) ? [top] : [];
  return readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.includes('node_modules'))
    .map((path) => `${top}/${path}`);
}

const isTest = (path: string) => /\.test(-d)?\.ts$|\/testing\//.test(path);
const files = tops.flatMap(sources);

/** What a file imports of the project, types included. */
function importsOf(path: string): readonly string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(root, path), 'utf8'), true, true);
  return importedFiles
    .map(({ fileName }) => fileName)
    .filter((name) => name.startsWith('.'))
    .map((name) => relative(root, join(root, dirname(path), name)));
}

const graph = new Map(files.filter((path) => !isTest(path)).map((path) => [path, importsOf(path)]));

/** Groups of nodes that lead to each other (Tarjan's strongly connected components), of two or more. */
function circles(edges: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const found: string[][] = [];
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const visit = (node: string): number => {
    const index = order.size;
    order.set(node, index);
    stack.push(node);
    let low = index;
    for (const next of edges.get(node) ?? []) {
      if (!edges.has(next)) continue;
      if (!order.has(next)) low = Math.min(low, visit(next));
      else if (stack.includes(next)) low = Math.min(low, order.get(next) ?? index);
    }
    lowest.set(node, low);
    if (low === index) {
      const circle = stack.splice(stack.indexOf(node));
      if (circle.length > 1) found.push(circle.sort());
    }
    return low;
  };
  for (const node of edges.keys()) if (!order.has(node)) visit(node);
  return found;
}

test('no file imports another that leads back to it, types included', () => {
  expect(graph.size).toBeGreaterThan(300);
  expect(circles(graph)).toEqual([]);
  expect(circles(new Map(sources('test').map((path) => [path, importsOf(path)])))).toEqual([]);
});

test('a circle is found', () => {
  const edges = { a: ['b'], b: ['c', 'd'], c: ['a'], d: ['d', 'e'], e: [] };
  expect(circles(new Map(Object.entries(edges)))).toEqual([['a', 'b', 'c']]);
});

test('every source lies in a room, and imports what its room may', () => {
  expect(files.filter((path) => roomOf(path) === undefined)).toEqual([]);
  const wrong = files.flatMap((path) =>
    importsOf(path)
      .filter((to) => !isAllowed(path, to))
      .map((to) => `${path} imports ${to}`),
  );
  expect(wrong).toEqual([]);
});

test('rooms lead one way', () => {
  const rooms = new Map(
    Object.keys(mayImport).map((room): [string, string[]] => [
      room,
      [...graph].flatMap(([path, imports]) =>
        roomOf(path) === room ? imports.flatMap((to) => roomOf(to) ?? []).filter((to) => to !== room) : [],
      ),
    ]),
  );
  expect(circles(rooms)).toEqual([]);
});

/** Folders with more than 20 sources. Tests stand beside what they test, and the suites in one folder (docs/adr/0028). */
function large(paths: readonly string[]): readonly string[] {
  const counted = paths.filter((path) => !/\.(?:test|test-d|e2e)\.ts$/.test(path));
  const folders = Map.groupBy(counted, (path) => dirname(path));
  return [...folders].filter(([, { length }]) => length > 20).map(([folder]) => folder);
}

test('no folder has more than 20 sources, those for tests included', () => {
  expect(large([...files, ...sources('test')])).toEqual([]);
});

test('a folder with more is found, of a room, for its tests and for the suites', () => {
  const numbers = Array.from({ length: 21 }, (_, index) => index);
  for (const folder of ['infra/plan', 'infra/testing', 'test/e2e/load']) {
    const sources = numbers.map((number) => `${folder}/part-${number}.ts`);
    expect(large(sources)).toEqual([folder]);
    expect(large(sources.slice(1))).toEqual([]);
    const tests = numbers.flatMap((number) => [`${folder}/${number}.test.ts`, `${folder}/${number}.e2e.ts`]);
    expect(large(tests)).toEqual([]);
  }
});

test('only cli/lab imports the lab, so that nothing a real cluster needs does', () => {
  const importers = [...graph].filter(
    ([path, imports]) => !path.startsWith('lab/') && imports.some((to) => to.startsWith('lab/')),
  );
  expect(importers.map(([path]) => dirname(path)).filter((folder) => folder !== 'cli/lab')).toEqual([]);
});
