import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeRecord } from './record.ts';
import { chooseTarget } from './target.ts';
import { thisWorkspace } from './workspace.ts';

let at: ReturnType<typeof thisWorkspace>;
let kube: string;
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'clusters-'));
  const stateDir = join(folder, 'state');
  mkdirSync(stateDir);
  at = { ...thisWorkspace({ MESHWRIGHT_STATE_DIR: stateDir }), root: folder };
  kube = join(folder, 'kube');
  writeFileSync(join(folder, 'Pulumi.lab.yaml'), 'config: {}');
});
afterEach(() => {
  rmSync(at.root, { recursive: true });
});

/** `east=a west=b` as contexts of the kubeconfig. */
const accessTo = (said: string, kubeconfig = kube) =>
  Object.fromEntries(
    said
      .split(' ')
      .filter(Boolean)
      .map((part) => part.split('='))
      .map(([name = '', context = '']) => [name, { kubeconfig, context }]),
  );
const stackSays = (said: string, kubeconfig = kube) => {
  const config = { 'meshwright:clusters': accessTo(said, kubeconfig) };
  writeFileSync(join(at.root, 'Pulumi.prod.yaml'), JSON.stringify({ config }));
};
const choose = (names: string, context: readonly string[] = [], stack?: string) =>
  chooseTarget(
    at,
    { context, engine: 'apply', ...(stack !== undefined && { stack }) },
    { clusters: names.split(' ').map((name) => ({ name })) },
    stack ?? 'lab',
    { KUBECONFIG: kube },
  ).record;
/** Flags for `east=a west=b`. */
const flags = (said: string) => said.split(' ');
/** Brings it up by contexts alone. */
const bringUp = (said: string) => {
  const names = Object.keys(accessTo(said)).join(' ');
  writeRecord(at.stateDir, choose(names, flags(said)));
};
const bringUpByStack = (said: string) => {
  stackSays(said);
  writeRecord(at.stateDir, choose(Object.keys(accessTo(said)).join(' '), [], 'prod'));
};

describe('clusters come and go while the mesh is up', () => {
  test.each<[string, string, string, readonly string[], string, string]>([
    [
      'one comes',
      'east=a west=b',
      'east west north',
      flags('east=a west=b north=c'),
      'east=a west=b north=c',
      '',
    ],
    ['one comes, with its flag alone', 'east=a', 'east west', ['west=b'], 'east=a west=b', ''],
    [
      'two come, in another order',
      'east=a',
      'north west east',
      flags('west=b east=a north=c'),
      'north=c west=b east=a',
      '',
    ],
    ['none, in another order', 'east=a west=b', 'west east', flags('west=b east=a'), 'east=a west=b', ''],
    ['one goes', 'east=a west=b', 'east', ['east=a'], 'east=a', 'west=b'],
    ['one goes, without flags', 'east=a west=b north=c', 'east north', [], 'east=a north=c', 'west=b'],
    [
      'one comes and one goes',
      'east=a west=b',
      'east north',
      flags('east=a north=c'),
      'east=a north=c',
      'west=b',
    ],
    [
      'one comes and two go',
      'east=a west=b south=s',
      'east north',
      ['north=c'],
      'east=a north=c',
      'west=b south=s',
    ],
  ])('%s', (_, before, names, context, access, left) => {
    bringUp(before);
    const record = choose(names, context);
    expect(record.access).toEqual(accessTo(access));
    expect(record.left ?? {}).toEqual(accessTo(left));
  });

  test.each([
    ['one comes', 'east=a', 'east=a west=b', ''],
    ['none, in another order', 'east=a west=b', 'west=b east=a', ''],
    ['one goes', 'east=a west=b', 'east=a', 'west=b'],
    ['one comes and one goes', 'east=a west=b north=c', 'south=s north=c east=a', 'west=b'],
  ])('%s, as the file of the stack says', (_, before, after, left) => {
    bringUpByStack(before);
    stackSays(after);
    const record = choose(Object.keys(accessTo(after)).join(' '), [], 'prod');
    expect(record.access).toEqual(accessTo(after));
    expect(record.left ?? {}).toEqual(accessTo(left));
  });

  test('one that has gone is known until it is removed, and may come back', () => {
    bringUp('east=a west=b');
    writeRecord(at.stateDir, choose('east'));
    expect(choose('east').left).toEqual(accessTo('west=b'));
    const back = choose('east west');
    expect(back.access).toEqual(accessTo('east=a west=b'));
    expect(back).not.toHaveProperty('left');
  });

  test('a lab has each declared cluster by its own kubeconfig, and leaves none', () => {
    writeRecord(at.stateDir, choose('east west'));
    const { lab, access, left } = choose('east north');
    expect([lab, left]).toEqual([true, undefined]);
    expect(access).toEqual(accessTo('east=east north=north', at.kubeconfig));
  });
});

const down = 'run `npm run down` first, or use another checkout';

describe('a cluster that has become another one is refused, by its name', () => {
  const changed = (where: string, name: string, now: string, was: string, file = kube) =>
    `${where}: is another one than the mesh of this checkout is up in as cluster ${name}; received "context ${now} of ${file}"; allowed context ${was} of ${kube}; fix: ${down}`;

  test('by flags: each whose context has changed, and no other', () => {
    bringUp('east=a west=b north=c');
    expect(() => choose('east west north', flags('east=x west=b north=y'))).toThrow(
      new Error(
        [changed('--context east', 'east', 'x', 'a'), changed('--context north', 'north', 'y', 'c')].join(
          '\n',
        ),
      ),
    );
  });

  test('by flags: two that have exchanged their contexts', () => {
    bringUp('east=a west=b');
    expect(() => choose('east west', flags('east=b west=a'))).toThrow(
      new Error(
        [changed('--context east', 'east', 'b', 'a'), changed('--context west', 'west', 'a', 'b')].join('\n'),
      ),
    );
  });

  test('by the file of the stack, which names another kubeconfig', () => {
    bringUpByStack('east=a');
    stackSays('east=a', '/other');
    expect(() => choose('east', [], 'prod')).toThrow(
      new Error(changed('Pulumi.prod.yaml: clusters.east', 'east', 'a', 'a', '/other')),
    );
  });

  test('also one that had gone, and comes back as another', () => {
    bringUp('east=a west=b');
    writeRecord(at.stateDir, choose('east'));
    expect(() => choose('east west', ['west=x'])).toThrow(
      new Error(changed('--context west', 'west', 'x', 'b')),
    );
  });

  test('and one that has another name: it would be removed from as what it was', () => {
    bringUp('east=a west=b');
    expect(() => choose('east cloud', ['cloud=b'])).toThrow(
      new Error(
        '--context cloud: is the one that the mesh of this checkout is up in as cluster west; ' +
          `received "context b of ${kube}"; fix: declare it as west again; to rename it, ${down}`,
      ),
    );
  });

  test('and any in place of those of a lab', () => {
    writeRecord(at.stateDir, choose('east'));
    expect(() => choose('east', ['east=a'])).toThrow(
      new Error(
        `--context east: is another one than the mesh of this checkout is up in as cluster east; received "context a of ${kube}"; allowed context east of ${at.kubeconfig}; fix: ${down}`,
      ),
    );
  });
});

describe('another mesh is not taken for this one without its clusters', () => {
  const none = (names: string, up: string) =>
    `mesh.ts: declares none of the clusters that the mesh of this checkout is up in: it would be removed from all of them; received "${names}"; allowed one of ${up}, and any others; fix: ${down}`;

  test.each<[string, () => void, () => unknown, string]>([
    [
      'by a stack of its own, after contexts alone',
      () => {
        bringUp('east=a west=b');
        stackSays('eu=c us=d');
      },
      () => choose('eu us', [], 'prod'),
      none('eu, us', 'east, west'),
    ],
    [
      'by flags',
      () => {
        bringUp('east=a');
      },
      () => choose('eu', ['eu=c']),
      none('eu', 'east'),
    ],
    [
      'by a stack of another environment that has one of the clusters',
      () => {
        bringUp('east=a west=b');
        stackSays('east=a us=d');
      },
      () => choose('east us', [], 'prod'),
      `--stack: is of another environment than the mesh of this checkout is up in, and does not have cluster west: the mesh would be removed there; received "prod"; allowed lab; fix: ${down}`,
    ],
  ])('%s', (_, bring, act, message) => {
    bring();
    expect(act).toThrow(new Error(message));
  });

  test('a stack with the same clusters takes over what contexts alone brought up', () => {
    bringUp('east=a west=b');
    stackSays('east=a west=b north=c');
    expect(choose('east west north', [], 'prod')).toMatchObject({ stack: 'prod', environment: 'prod' });
  });
});

test('each cluster that is new and has no context is told, with the flag that it needs', () => {
  bringUp('east=a');
  const told = (name: string) =>
    `cluster ${name}: is new, and nothing says how to reach it; fix: give --context ${name}=CONTEXT; the clusters that the mesh is up in need none`;
  expect(() => choose('east west north')).toThrow(new Error([told('west'), told('north')].join('\n')));
  expect(() => choose('east west north', ['west=b'])).toThrow(
    new Error(
      '--context: is missing for cluster north; allowed one context for every cluster of the mesh, or none at all for the lab; fix: add --context north=CONTEXT',
    ),
  );
});
