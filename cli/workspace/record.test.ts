import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProblemsError } from '../../core/problem.ts';
import { planMesh } from '../../infra/plan/plan.ts';
import { modelOf, modelOnExisting } from '../../infra/testing/models.ts';
import { namespaceOf } from '../../infra/testing/existing/on-existing.ts';
import { readRecord, recordFailure, recordStart, withNamespaces, writeRecord } from './record.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'record-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});
const record = {
  engine: 'apply',
  lab: true,
  access: { east: { kubeconfig: '/k', context: 'east' } },
} as const;

describe('the record of what is up', () => {
  test('knows of an up that has begun, until it ends well', () => {
    recordStart(folder, record);
    expect(readRecord(folder)).toEqual({
      ...record,
      unfinishedUp: { since: expect.stringMatching(/^\d{4}-.*Z$/), problems: null },
    });
    writeRecord(folder, record);
    expect(readRecord(folder)).toEqual(record);
  });

  test('keeps what an up failed with, one short line for each problem', () => {
    recordStart(folder, record);
    const long = { where: 'west', what: 'x\n'.repeat(1_000) };
    const problem = {
      where: 'east: Deployment shop/a',
      what: 'does not get ready',
      fix: 'mend it',
      lines: ['log'],
    };
    recordFailure(folder, new ProblemsError([problem, long], 1));
    const problems = readRecord(folder)?.unfinishedUp?.problems ?? [];
    expect(problems[0]).toBe('east: Deployment shop/a: does not get ready');
    expect(problems[1]).toHaveLength(500);
    recordFailure(folder, new Error('stopped by SIGINT'));
    expect(readRecord(folder)?.unfinishedUp?.problems).toEqual(['stopped by SIGINT']);
  });

  test('says nothing of an up that failed before it changed anything', () => {
    recordFailure(folder, new Error('no image'));
    expect(readRecord(folder)).toBeUndefined();
    writeRecord(folder, record);
    recordFailure(folder, new Error('no image'));
    expect(readRecord(folder)).toEqual(record);
  });

  test('keeps each namespace that an up wrote in on an Istio of others, and none where the Istio is its own', () => {
    const model = modelOnExisting(['east'], { sharedNamespaces: ['team-a'] });
    const planOf = (...names: readonly string[]) => {
      const objects = names.map((name) => namespaceOf(name));
      return planMesh(model, [{ cluster: 'east', stage: '00-namespaces', path: '', yaml: '', objects }]);
    };
    writeRecord(folder, withNamespaces(record, undefined, planOf('shop')));
    expect(readRecord(folder)).toEqual({ ...record, namespaces: ['shop', 'team-a'] });
    expect(withNamespaces(record, readRecord(folder), planOf('store', 'shop-ingress')).namespaces).toEqual([
      ...['shop', 'team-a', 'store', 'shop-ingress'],
    ]);
    expect(withNamespaces(record, undefined, planMesh(modelOf(['east']), []))).toEqual(record);
  });
});
