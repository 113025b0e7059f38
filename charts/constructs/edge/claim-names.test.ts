import { expect, test } from '@jest/globals';
import { formatProblem } from '../../../core/problem.ts';
import { claimPath, metadataClaimProblems, ruleClaimProblems } from './claim-names.ts';

test.each([
  ['sub', ['sub']],
  ['realm.roles', ['realm', 'roles']],
  ['[sub]', ['sub']],
  ['[kubernetes.io][pod][name]', ['kubernetes.io', 'pod', 'name']],
  ['[https://shop.example/roles]', ['https://shop.example/roles']],
])('the names that %s leads through', (claim, path) => {
  expect(claimPath(claim)).toEqual(path);
  expect(ruleClaimProblems('claim', claim)).toEqual([]);
});

const rule =
  "allowed the claim's name, with dots between the levels of nested objects, such as realm.roles; or each name in brackets, if one contains a dot " +
  'itself, such as [kubernetes.io][namespace]';

test.each([
  '',
  '.',
  'a.',
  '.a',
  'a..b',
  'a b',
  '[]',
  '[a',
  'a]',
  '[a]b',
  'a[b]',
  '[a] [b]',
  '[a b]',
  '[[a]]',
])('%j leads to no claim', (claim) => {
  expect(claimPath(claim)).toBeUndefined();
  const fix = /^[^\s[\]]+$/.test(claim) ? `; fix: write [${claim}]` : '';
  expect(ruleClaimProblems('claim', claim).map(formatProblem)).toEqual([
    `claim: is not the name of a claim; received ${JSON.stringify(claim)}; ${rule}${fix}`,
  ]);
});

test.each([7, null, ['sub']])('%j is no name', (claim) => {
  expect(ruleClaimProblems('claim', claim).map(formatProblem)).toEqual([
    `claim: is not the name of a claim; received ${JSON.stringify(claim)}; ${rule}`,
  ]);
});

test.each([
  ['exp', 'a number'],
  ['nbf', 'a number'],
  ['[iat]', 'a number'],
  ['auth_time', 'a number'],
  ['updated_at', 'a number'],
  ['email_verified', 'true or false'],
  ['phone_number_verified', 'true or false'],
  ['address', 'an object'],
  ['cnf', 'an object'],
])('%s is no text by its specification', (claim, kind) => {
  expect(ruleClaimProblems('claim', claim).map(formatProblem)).toEqual([
    `claim: is ${kind} by its specification, and Istio compares only strings and lists of strings: it would never match; ` +
      `received "${claim}"; fix: have the issuer put it into a string`,
  ]);
});

test.each(['address.country', 'own.exp', 'constructor', 'toString'])('%s may be a text', (claim) => {
  expect(ruleClaimProblems('claim', claim)).toEqual([]);
});

test.each([
  ['kubernetes.io', '[kubernetes.io]'],
  ['kubernetes.io.pod.name', '[kubernetes.io][pod][name]'],
])('%s has a dot of its own', (claim, fix) => {
  expect(ruleClaimProblems('claim', claim).map(formatProblem)).toEqual([
    `claim: is a name that contains a dot, which would be read as a path into an object; received "${claim}"; ${rule}; fix: write ${fix}`,
  ]);
});

test('a name that begins like one with a dot of its own is another', () => {
  expect(ruleClaimProblems('claim', 'kubernetes.iot')).toEqual([]);
  expect(metadataClaimProblems('claims', 'kubernetes.iot')).toEqual([]);
});

const plain =
  "allowed the claim's name without spaces and brackets, with dots between the levels of nested objects";

test.each(['sub', 'realm.roles', 'a:b'])('%s can go on as metadata', (claim) => {
  expect(metadataClaimProblems('claims', claim)).toEqual([]);
});

test.each(['', 'a b', ' ', '[sub]', 'a[b]', 'a b.c', ' a.b', 'a.b]', '[a.b'])(
  '%j cannot: it is no claim',
  (claim) => {
    expect(metadataClaimProblems('claims', claim).map(formatProblem)).toEqual([
      `claims: is not the name of a claim; received ${JSON.stringify(claim)}; ${plain}`,
    ]);
  },
);

test.each([
  'kubernetes.io',
  'kubernetes.io.pod',
  '[kubernetes.io]',
  '[a.b][c]',
  'https://shop.example/roles',
  'urn:a.b',
])('%s cannot: Envoy would take its dot for a way into an object', (claim) => {
  expect(metadataClaimProblems('claims', claim).map(formatProblem)).toEqual([
    `claims: has a dot in its name, which Envoy would read as a path into an object; received "${claim}"; ` +
      `${plain}; fix: have the issuer put it into a claim without dots`,
  ]);
});
