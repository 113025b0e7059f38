import { describe, expect, test } from '@jest/globals';
import { said, security } from '../../testing/own-objects.ts';

const elsewhere =
  '; or, if something else creates it, give the reason in the annotation meshwright/accept-undeclared-namespace';
const policy = (rule: object) => security('AuthorizationPolicy', { action: 'DENY', rules: [rule] });
const at = 'demo/custom: AuthorizationPolicy shop/own: spec.rules[0]';

describe('a policy about a caller that is not there', () => {
  test.each([
    [
      { from: [{ source: { namespaces: ['shpo'] } }] },
      'from[0].source.namespaces',
      'shpo',
      'did you mean shop?',
    ],
    [
      { from: [{ source: { notNamespaces: ['web-*'] } }] },
      'from[0].source.notNamespaces',
      'web-*',
      'correct or remove it',
    ],
    [
      { when: [{ key: 'source.namespace', notValues: ['shpo'] }] },
      'when[0].notValues',
      'shpo',
      'did you mean shop?',
    ],
  ])('by its namespace: %j', (rule, path, received, fix) => {
    expect(said(policy(rule))).toEqual([
      `${at}.${path} names a namespace that no cluster has; received "${received}"; fix: ${fix}${elsewhere}`,
    ]);
  });

  test.each([
    [
      { from: [{ source: { principals: ['demo.example/ns/shop/sa/catalgo'] } }] },
      'from[0].source.principals',
    ],
    [
      { from: [{ source: { notPrincipals: ['demo.example/ns/shop/sa/catalgo'] } }] },
      'from[0].source.notPrincipals',
    ],
    [{ when: [{ key: 'source.principal', values: ['demo.example/ns/shop/sa/catalgo'] }] }, 'when[0].values'],
  ])('by its account: %j', (rule, path) => {
    expect(said(policy(rule))).toEqual([
      `${at}.${path} names an account that no cluster has; received "demo.example/ns/shop/sa/catalgo"; fix: did you mean shop/sa/catalog?${elsewhere}`,
    ]);
  });
});

test.each([
  { namespaces: ['shop', '*-ingress', 'sh*', '*'] },
  { namespaces: ['kube-system'] },
  { principals: ['demo.example/ns/shop/sa/catalog', 'demo.example/ns/shop/sa/default'] },
  { principals: ['*/ns/shop/sa/*', 'demo.example/ns/kube-system/sa/own'] },
])('%j are there', (source) => {
  expect(said(policy({ from: [{ source }] }))).toEqual([]);
});

test('a reason in writing makes an exception', () => {
  const annotations = { 'meshwright/accept-undeclared-namespace': 'the monitoring team makes it' };
  const source = { namespaces: ['observability'], principals: ['demo.example/ns/observability/sa/own'] };
  expect(said({ ...policy({ from: [{ source }] }), annotations })).toEqual([]);
});
