import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { declaredProject } from '../testing/project.ts';
import { synthMesh } from './synth-mesh.ts';
import { writeRecord, type UpRecord } from './record.ts';
import {
  chooseEnvironment,
  chooseTarget,
  environmentOfRecord,
  environmentOfStack,
  type TargetFlags,
} from './target.ts';
import { thisWorkspace } from './workspace.ts';

const declared = ['lab', 'bare', 'prod'];
const { model } = await synthMesh(declaredProject(), 'lab');
let at: ReturnType<typeof thisWorkspace>;
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'target-'));
  const stateDir = join(folder, 'state');
  mkdirSync(stateDir);
  at = { ...thisWorkspace({ MESHWRIGHT_STATE_DIR: stateDir }), root: folder };
  writeFileSync(join(folder, 'Pulumi.lab.yaml'), 'config: { "meshwright:trust": { intermediate: 2 } }');
  const reach = (context: string) => `{ kubeconfig: kube, context: ${context} }`;
  writeFileSync(
    join(folder, 'Pulumi.prod.yaml'),
    `config: { "meshwright:clusters": { east: ${reach('a')}, west: { kubeconfig: kube, context: b, apiServer: "https://10.0.0.5" } } }`,
  );
  writeFileSync(join(folder, 'Pulumi.bare.yaml'), 'config: {}');
});
afterEach(() => {
  rmSync(at.root, { recursive: true });
});
const choose = (flags: Partial<TargetFlags>) =>
  chooseTarget(at, { context: [], engine: 'apply', ...flags }, model, environmentFor(flags), {
    KUBECONFIG: join(at.root, 'kube'),
  });
function environmentFor({ stack, context = [] }: Partial<TargetFlags>): string {
  return chooseEnvironment(at, { context, ...(stack !== undefined && { stack }) }, declared);
}
const prod = () => ({
  east: { kubeconfig: join(at.root, 'kube'), context: 'a' },
  west: { kubeconfig: join(at.root, 'kube'), context: 'b', apiServer: 'https://10.0.0.5' },
});

describe('the environment', () => {
  const environment = environmentFor;

  test("is that of the stack, and the lab's without one", () => {
    expect([environment({}), environment({ context: ['east=x'] }), environment({ stack: 'prod' })]).toEqual([
      ...['lab', 'lab', 'prod'],
    ]);
  });

  test.each<[string, Partial<TargetFlags>, string]>([
    ['a stack', { stack: 'prod' }, 'prod'],
    ['contexts alone', { context: ['east=x', 'west=y'] }, 'lab'],
    ['the lab', {}, 'lab'],
  ])('stays that of what is up by %s, of a version that recorded none too', (_, flags, expected) => {
    const { environment: recorded, ...older } = choose(flags).record;
    expect(recorded).toBe(expected);
    for (const record of [choose(flags).record, older]) {
      writeRecord(at.stateDir, record);
      expect([environment({}), choose({}).record, environmentOfRecord(record, declared)]).toEqual([
        expected,
        { ...older, environment: expected },
        expected,
      ]);
    }
  });

  test('changes with a stack that is named for what contexts alone have brought up', () => {
    writeRecord(at.stateDir, choose({ context: ['east=a', 'west=b'] }).record);
    expect(environment({ stack: 'prod' })).toBe('prod');
  });

  test.each<[string, () => unknown, string]>([
    [
      'a stack of the name of none',
      () => environment({ stack: 'staging' }),
      '--stack: mesh.ts declares no environment of this name; received "staging"; allowed lab, bare, prod; fix: declare it among the environments of mesh.ts',
    ],
    [
      'no stack, where there is no lab',
      () => environmentOfStack(undefined, ['staging', 'prod']),
      '--stack: is missing: without it the environment is lab, which mesh.ts does not declare; allowed staging, prod; fix: name one of these',
    ],
    [
      'what is up in one that is no longer declared',
      () => environmentOfRecord({ ...choose({ stack: 'prod' }).record, environment: 'old' }, declared),
      'mesh.ts: no longer declares the environment that the mesh of this checkout is up in; received "lab, bare, prod"; allowed old; fix: declare old again; to leave it, run `npm run down` before it is removed',
    ],
  ])('is refused for %s', (_, act, message) => {
    expect(act).toThrow(new Error(message));
  });
});

describe('the target of up', () => {
  test('is the lab, with the lab stack, unless told otherwise', () => {
    const { record, config } = choose({});
    expect(record).toMatchObject({
      lab: true,
      stack: 'lab',
      access: { east: { kubeconfig: at.kubeconfig } },
    });
    expect(config).toMatchObject({ trustDir: at.trustDir, trust: { intermediate: 2 } });
  });

  test('is what the stack names', () => {
    const { record, accessFile } = choose({ stack: 'prod' });
    expect(accessFile).toBe('Pulumi.prod.yaml');
    expect(record).toEqual({
      engine: 'apply',
      lab: false,
      stack: 'prod',
      environment: 'prod',
      access: prod(),
    });
  });

  test('is in the contexts given, with the settings of the stack', () => {
    const { record, accessFile } = choose({ stack: 'prod', context: ['east=x', 'west=y'] });
    expect(accessFile).toBeUndefined();
    expect(record.access).toEqual({
      east: { ...prod().east, context: 'x' },
      west: { ...prod().west, context: 'y' },
    });
  });

  test('has no stack when contexts alone are given', () => {
    const { record, config } = choose({ context: ['east=x', 'west=y'] });
    expect([record.lab, record.stack, config.trust.intermediate]).toEqual([false, undefined, 1]);
  });

  test('stays what is up, and gets the settings that the file has now', () => {
    writeRecord(at.stateDir, choose({ stack: 'prod' }).record);
    writeFileSync(join(at.root, 'Pulumi.prod.yaml'), 'config: { "meshwright:trust": { intermediate: 7 } }');
    const { record, config } = choose({});
    expect([record.stack, record.access['east']?.context, config.trust.intermediate]).toEqual([
      'prod',
      'a',
      7,
    ]);
  });

  test.each<[string, Partial<TargetFlags>, string]>([
    [
      'a stack without clusters',
      { stack: 'bare' },
      'Pulumi.bare.yaml: does not say how to reach any cluster; fix: add meshwright:clusters to it, or give a --context for each of east, west',
    ],
    [
      'another stack than the one it was made by',
      { stack: 'lab' },
      '--stack: the mesh of this checkout was made by another stack; received "lab"; allowed prod; fix: run `npm run down` first, or use another checkout',
    ],
    [
      'another engine',
      { engine: 'pulumi' },
      '--engine: the mesh of this checkout was made by the other engine; received "pulumi"; allowed apply; fix: run `npm run down` first',
    ],
  ])('is refused for %s', (name, flags, message) => {
    if (name !== 'a stack without clusters') writeRecord(at.stateDir, choose({ stack: 'prod' }).record);
    expect(() => choose(flags)).toThrow(new Error(message));
  });

  test.each<[string, Partial<UpRecord>, string]>([
    [
      'the lab, of a version that recorded no stack of it',
      { lab: true },
      '--stack: the mesh of this checkout was made by another stack; received "prod"; allowed lab; fix: run `npm run down` first, or use another checkout',
    ],
    [
      'what Pulumi made in contexts alone',
      { lab: false, engine: 'pulumi' },
      '--stack: Pulumi made the mesh of this checkout in a stack that is named after the mesh, which would go on to have the same objects; received "prod"; allowed no --stack; fix: run `npm run down` first, or use another checkout',
    ],
  ])('a stack does not take over %s', (_, made, message) => {
    for (const stack of ['prod', 'bare']) {
      writeRecord(at.stateDir, { engine: 'apply', access: prod(), ...made } as UpRecord);
      const told = new Error(message.replace('"prod"', `"${stack}"`));
      expect(() => choose({ stack })).toThrow(told);
      expect(() => environmentFor({ stack })).toThrow(told);
    }
  });
});
