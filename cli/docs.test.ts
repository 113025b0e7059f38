import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { released } from '../charts/platforms.ts';
import { declaredProject } from './testing/project.ts';
import { loadDeclaration } from './workspace/declaration.ts';
import { filledMesh, synthAll } from './workspace/synth-mesh.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];

test('every npm command of the documents exists', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  for (const document of documents) {
    for (const [, name] of read(document).matchAll(/npm (?:run )?([a-z0-9:]+)/g)) {
      // npm's own commands, and words.
      if (['ci', 'init', 'install', 'packages', 'runs'].includes(name!)) continue;
      expect([document, Object.keys(scripts)]).toEqual([document, expect.arrayContaining([name])]);
    }
  }
});

test.each(['docs/security.md', 'docs/adopting.md'])('every test that %s names exists', (document) => {
  const named = [...read(document).matchAll(/`([\w./-]+\.(?:test|e2e)\.ts)`/g)].map(([, file]) => file!);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

test('docs/adopting.md says of each need by which test it is tried, or what is nearest to it', () => {
  const rows = read('docs/adopting.md')
    .split('\n')
    .filter((line) => /^\|(?!\s*(?:-+|need)\s*\|)/.test(line))
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1));
  expect(rows.length).toBeGreaterThan(30);
  expect(rows.filter((cells) => cells.length !== 3 || cells.some((cell) => cell.trim() === ''))).toEqual([]);
});

describe('docs/environments.md', () => {
  const [first = '', second = ''] = [...read('docs/environments.md').matchAll(/```ts\n([\s\S]*?)```/g)].map(
    ([, code]) => code,
  );
  const rendered = async (code: string) => {
    const folder = declaredProject(code);
    return synthAll(await loadDeclaration(folder), folder).dist;
  };

  test('declares a mesh that is rendered in each of its environments', async () => {
    const namespaces = [...(await rendered(first))].map(([environment, stages]) => [
      environment,
      stages.some(({ yaml }) => yaml.includes('name: tests\n')),
    ]);
    expect(namespaces).toEqual([
      ['lab', true],
      ['staging', true],
      ['prod', false],
    ]);
  });

  test('places a service in the clusters of each environment', async () => {
    const placed = [...(await rendered(second))].map(([environment, stages]) => [
      environment,
      stages.flatMap(({ cluster, objects }) =>
        objects.flatMap(({ kind, metadata }) =>
          kind === 'Deployment' && metadata.name === 'catalog' ? [cluster] : [],
        ),
      ),
    ]);
    expect(placed).toEqual([
      ['lab', ['west']],
      ['prod', ['a', 'c']],
    ]);
  });

  test('has the message for a cluster of another environment', async () => {
    const misplaced = second.replace("catalog: ['a', 'c']", "catalog: ['a', 'west']");
    await expect(rendered(misplaced)).rejects.toThrow(
      new Error(
        'environment prod: shop/shop/catalog: placement: the mesh has no such cluster; received "west"; allowed a, b, c',
      ),
    );
  });
});

test('the holes of docs/environments.md are listed as it says, and filled by the file that it shows', async () => {
  const blocks = [...read('docs/environments.md').matchAll(/```(ts|yaml)\n([\s\S]*?)```/g)];
  const holes = blocks.findIndex(([, , code]) => code!.includes('hole('));
  const [code, head, stack] = blocks.slice(holes, holes + 3).map(([, , text]) => text!);
  const folder = declaredProject(code);
  writeFileSync(join(folder, 'Pulumi.prod.yaml'), stack!);
  const declaration = await loadDeclaration(folder);
  const rendered = synthAll(declaration, folder).dist.get('prod')!;
  expect(rendered.some(({ yaml }) => yaml.startsWith(head!))).toBe(true);
  const { platform, trustDomain } = filledMesh(declaration, folder, 'prod');
  expect([platform.imageHub, trustDomain]).toEqual([
    '123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop',
    'shop.example',
  ]);
});

describe('the README', () => {
  const readme = read('README.md');

  test('shows the two commands and the declaration on its first screen', () => {
    const screen = readme.split('\n').slice(0, 56).join('\n');
    for (const shown of ['npm run up', 'npm test', 'new GrpcService(']) expect(screen).toContain(shown);
  });

  test('names every room there is', () => {
    const rooms = [...readme.matchAll(/^\| `([a-z]+)\/` +\|/gm)].map(([, room]) => room);
    // What is rendered comes and goes with the declaration.
    const there = readdirSync(root);
    expect(rooms.filter((room) => room !== 'dist' && !there.includes(room!))).toEqual([]);
    expect(rooms).toEqual(
      expect.arrayContaining(['proto', 'apps', 'charts', 'dist', 'infra', 'lab', 'cli', 'core']),
    );
  });

  test('gives a platform for other clusters that works', () => {
    const [, imageHub, istioTag] =
      /released\(\{ imageHub: '(\S+)', istioTag: '(\S+)' \}\)/.exec(readme) ?? [];
    expect(released({ imageHub: imageHub!, istioTag: istioTag! }).istio).toEqual({
      hub: 'docker.io/istio',
      tag: istioTag,
      proxy: 'istio',
    });
  });
});
