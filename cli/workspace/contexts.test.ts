import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseContexts } from './contexts.ts';

const clusters = ['east', 'west'];

describe('parseContexts', () => {
  let folder: string;
  let one: string;
  let two: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'contexts-'));
    [one, two] = [join(folder, 'one'), join(folder, 'two')];
    writeFileSync(one, 'contexts: [{name: prod-1}]');
    writeFileSync(two, 'contexts: [{name: prod-2}]');
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test('finds each context in the file that has it', () => {
    expect(parseContexts(['east=prod-1', 'west=prod-2'], clusters, { KUBECONFIG: `${one}:${two}` })).toEqual({
      east: { kubeconfig: one, context: 'prod-1' },
      west: { kubeconfig: two, context: 'prod-2' },
    });
  });

  test('keeps a context with an equals sign, and falls back to the first file', () => {
    expect(parseContexts(['east=a=b', 'west=c'], clusters, {})['east']).toEqual({
      kubeconfig: join(homedir(), '.kube', 'config'),
      context: 'a=b',
    });
  });

  test('takes flags in any order, and files relative to where the user is', () => {
    const env = { KUBECONFIG: 'one', INIT_CWD: folder };
    const access = parseContexts(['west=other', 'east=prod-1'], clusters, env);
    expect(Object.entries(access)).toEqual([
      ['east', { kubeconfig: one, context: 'prod-1' }],
      ['west', { kubeconfig: one, context: 'other' }],
    ]);
  });

  test.each<[string, readonly string[], string]>([
    ['no context', ['east'], '--context: does not name a context; received "east"; allowed CLUSTER=CONTEXT'],
    [
      'an unknown cluster',
      ['eats=a', 'west=b'],
      '--context: names a cluster that the mesh does not declare; received "eats"; allowed east, west; ' +
        'fix: write --context east=a',
    ],
    [
      'a cluster twice',
      ['east=a', 'east=b'],
      '--context: names east twice; received "east=b"; fix: name each cluster once',
    ],
    [
      'one context for two clusters',
      ['east=a', 'west=a'],
      '--context: is the same for east and west; received "a"; allowed a cluster of its own for each',
    ],
    [
      'a missing cluster',
      ['east=a'],
      '--context: is missing for cluster west; ' +
        'allowed one context for every cluster of the mesh, or none at all for the lab; fix: add --context west=CONTEXT',
    ],
  ])('refuses %s', (_, flags, message) => {
    expect(() => parseContexts(flags, clusters, {})).toThrow(message);
  });

  test('reports everything at once', () => {
    expect(() => parseContexts(['north=a', 'east'], clusters, {})).toThrow(
      '--context: names a cluster that the mesh does not declare; received "north"; allowed east, west\n' +
        '--context: does not name a context; received "east"; allowed CLUSTER=CONTEXT',
    );
  });
});
