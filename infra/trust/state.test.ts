import { describe, expect, test } from '@jest/globals';
import { formatProblem } from '../../core/problem.ts';
import type { TrustSettings } from '../plan/stack-config.ts';
import {
  configProblems,
  describeTrust,
  isPhase,
  issuerOf,
  readTrustState,
  stepProblem,
  trustAnnotations,
  trustedGenerations,
} from './state.ts';

const at = (generation: number, phase?: TrustSettings['phase'], intermediate = 1): TrustSettings => ({
  generation,
  ...(phase === undefined ? {} : { phase }),
  intermediate,
});
const way = [
  at(1),
  at(2, 'add-root'),
  at(2, 're-issue'),
  at(2, 'drop-root'),
  at(3, 'add-root'),
  at(3, 're-issue'),
];
const message = (live: TrustSettings, wanted: TrustSettings) => {
  const problem = stepProblem('east', live, wanted);
  return problem === undefined ? undefined : formatProblem(problem);
};

describe('stepProblem', () => {
  test('lets a cluster stay, or go on by one phase, and no more, from every state', () => {
    for (const [here, live] of way.entries()) {
      for (const [there, wanted] of way.entries()) {
        const allowed = there === here || there === here + 1;
        expect([describeStep(live, wanted), message(live, wanted) === undefined]).toEqual([
          describeStep(live, wanted),
          allowed,
        ]);
        expect(isPhase(live, wanted)).toBe(there !== here);
      }
    }
  });

  test('the last phase and its generation without a phase are the same state', () => {
    expect(message(at(2, 'drop-root'), at(2))).toBeUndefined();
    expect(message(at(2), at(2, 'drop-root'))).toBeUndefined();
    expect(isPhase(at(2, 'drop-root'), at(2))).toBe(false);
  });

  test.each([
    [
      at(1),
      at(2),
      'east: trust phases have to be taken one at a time, and this skips one: calls would fail; received "generation 2, intermediate 1"; allowed generation 1, intermediate 1 as it is now, a higher intermediate, or generation 2, phase add-root; fix: set generation 2, phase add-root first',
    ],
    [
      at(2, 'add-root'),
      at(2, 'drop-root'),
      'east: trust phases have to be taken one at a time, and this skips one: calls would fail; received "generation 2, phase drop-root, intermediate 1"; allowed generation 2, phase add-root, intermediate 1 as it is now, a higher intermediate, or generation 2, phase re-issue; fix: set generation 2, phase re-issue first',
    ],
    [
      at(2, 're-issue'),
      at(2, 'add-root'),
      'east: trust phases can only move forward; received "generation 2, phase add-root, intermediate 1"; allowed generation 2, phase re-issue, intermediate 1 as it is now, a higher intermediate, or generation 2, phase drop-root',
    ],
    [
      at(1, undefined, 3),
      at(1, undefined, 2),
      'east: trust.intermediate can only increase: an earlier intermediate CA is never used again; received "generation 1, intermediate 2"; allowed generation 1, intermediate 3 as it is now, a higher intermediate, or generation 2, phase add-root',
    ],
  ])('%j to %j is refused', (live, wanted, text) => {
    expect(message(live, wanted)).toBe(text);
  });

  test('an intermediate is re-issued in one step, and another root begins with its first one', () => {
    expect(message(at(1), at(1, undefined, 2))).toBeUndefined();
    expect(isPhase(at(1), at(1, undefined, 2))).toBe(false);
    expect(message(at(2, 'add-root', 3), at(2, 're-issue', 1))).toBeUndefined();
    expect(message(at(1, undefined, 3), at(2, 'add-root', 2))).toBe(
      'east: trust.intermediate can only increase: an earlier intermediate CA is never used again; received "generation 2, phase add-root, intermediate 2"; allowed generation 1, intermediate 3 as it is now, a higher intermediate, or generation 2, phase add-root',
    );
  });
});

test('the root that signs is the first of the trusted ones', () => {
  expect(way.map((state) => trustedGenerations(state))).toEqual([[1], [1, 2], [2, 1], [2], [2, 3], [3, 2]]);
});

test('a Secret says of which state it is; one from before says nothing', () => {
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'cacerts' } };
  for (const state of way) {
    const metadata = { ...secret.metadata, annotations: trustAnnotations(state) };
    expect(readTrustState({ ...secret, metadata })).toStrictEqual(state);
    expect(Object.keys(metadata.annotations)).toHaveLength(state.phase === undefined ? 2 : 3);
  }
  expect(readTrustState(secret)).toStrictEqual(at(1));
});

test.each(['0', '-1', '1.5', '', 'two', 'Infinity'])(
  'a note %j of a Secret is no number, and counts as 1',
  (note) => {
    const annotations = { 'meshwright/trust-generation': note, 'meshwright/trust-intermediate': note };
    const metadata = { name: 'cacerts', annotations };
    expect(readTrustState({ apiVersion: 'v1', kind: 'Secret', metadata })).toStrictEqual(at(1));
  },
);

test('a phase that is none is left out', () => {
  const metadata = { name: 'cacerts', annotations: { 'meshwright/trust-phase': 'drop-roots' } };
  expect(readTrustState({ apiVersion: 'v1', kind: 'Secret', metadata })).toStrictEqual(at(1));
});

describe("cert-manager's notes", () => {
  const noted = (notes: Readonly<Record<string, string>>) => {
    const annotations = Object.fromEntries(
      Object.entries(notes).map(([name, note]) => [`cert-manager.io/${name}`, note]),
    );
    return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'cacerts', annotations } };
  };
  const own = { 'issuer-name': 'mesh-ca', 'certificate-name': 'cacerts' };

  test('say who issues the Secret, with its own defaults', () => {
    const issuer = { name: 'mesh-ca', kind: 'Issuer', group: 'cert-manager.io' };
    expect(issuerOf(noted(own))).toEqual(issuer);
    expect(readTrustState(noted(own))).toEqual({ issuer, ...at(1) });
    expect(describeTrust(readTrustState(noted(own)))).toBe('Issuer mesh-ca');
    const other = noted({ ...own, 'issuer-kind': 'AWSPCAIssuer', 'issuer-group': 'awspca.cert-manager.io' });
    expect(issuerOf(other)).toEqual({
      name: 'mesh-ca',
      kind: 'AWSPCAIssuer',
      group: 'awspca.cert-manager.io',
    });
    expect(describeTrust(readTrustState(other))).toBe('AWSPCAIssuer.awspca.cert-manager.io mesh-ca');
  });

  test.each([[{ 'issuer-name': 'mesh-ca' }], [{ 'certificate-name': 'cacerts' }], [{}]])(
    'that are not whole, %j, say of nobody',
    (notes) => {
      expect(issuerOf(noted(notes))).toBeUndefined();
      expect(readTrustState(noted(notes))).toStrictEqual(at(1));
    },
  );
});

test('the first generation has no phase', () => {
  expect(configProblems(at(1, 'add-root')).map(formatProblem)).toEqual([
    'trust.phase: there is no root CA before generation 1 that the mesh could move from; received "add-root"; fix: raise trust.generation to 2, or leave trust.phase out',
  ]);
  for (const state of [...way, at(1), at(2)]) expect(configProblems(state)).toEqual([]);
});

function describeStep(live: TrustSettings, wanted: TrustSettings): string {
  return `${JSON.stringify(live)} to ${JSON.stringify(wanted)}`;
}
