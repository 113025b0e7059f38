import { describe, expect, test } from '@jest/globals';
import type { KubernetesObject } from '../../model/mesh-model.ts';
import { allowsAll, namesCaller } from './access-rules.ts';

const object = (apiVersion: string, kind: string, spec?: unknown): KubernetesObject => ({
  apiVersion,
  kind,
  metadata: { name: 'one', namespace: 'shop' },
  spec,
});

describe('policies', () => {
  const policy = (spec: unknown, apiVersion = 'security.istio.io/v1') =>
    allowsAll(object(apiVersion, 'AuthorizationPolicy', spec));
  const everything = (index: number) => ({
    what: `spec.rules[${index}] allows every call`,
    fix: 'restrict who may call (from), what (to), or when',
  });

  test('allow by default, in every version of the API; what denies, audits or asks elsewhere may be about all', () => {
    expect(policy({ rules: [{}] }, 'security.istio.io/v1beta1')).toEqual([everything(0)]);
    expect(policy({ action: 'ALLOW', rules: [{}] })).toEqual([everything(0)]);
    for (const action of ['DENY', 'AUDIT', 'CUSTOM']) expect(policy({ action, rules: [{}] })).toEqual([]);
    expect(policy({})).toEqual([]);
    expect(policy({ rules: [{}] }, 'security.example/v1')).toEqual([]);
    expect(allowsAll(object('security.istio.io/v1', 'PeerAuthentication', { rules: [{}] }))).toEqual([]);
  });

  const source = (...sources: object[]) => ({ from: sources.map((one) => ({ source: one })) });
  const operation = (...operations: object[]) => ({ to: operations.map((one) => ({ operation: one })) });
  const when = (...conditions: object[]) => ({ when: conditions });

  test.each([
    source({ principals: ['a'] }),
    source({ principals: ['a'], namespaces: ['*'] }),
    // A valid token is asked for.
    source({ requestPrincipals: ['*'] }),
    source({ ipBlocks: ['10.0.0.0/8'] }),
    source({ ipBlocks: ['0.0.0.1/32'] }),
    source({ namespaces: ['shop'] }, { principals: ['a'] }),
    operation({ paths: ['/healthz'] }),
    operation({ paths: ['/v1/*'] }),
    operation({ hosts: ['*.example'] }),
    operation({ methods: ['GET'] }, { ports: ['80'] }),
    { ...source({}), ...operation({ paths: ['/healthz'] }) },
    when({ key: 'source.ip', values: ['10.0.0.1'] }),
    when({ key: 'source.ip', values: ['*'] }, { key: 'source.ip', values: ['10.0.0.1'] }),
    when({ key: 'request.auth.claims[sub]', values: ['*'] }),
    when({ key: 'request.headers[x-a]', notValues: ['*'] }),
    when({ key: 'request.headers[x-a]', notValues: ['a', '*'] }),
  ])('%j restricts', (rule) => {
    expect(policy({ rules: [rule] })).toEqual([]);
  });

  test.each([
    null,
    { from: [] },
    { from: [{}] },
    source({}),
    source({ principals: [] }),
    source({ principals: 'a' }),
    source({ principals: ['*'] }),
    source({ principals: ['a', '*'] }),
    source({ namespaces: ['shop'] }, {}),
    source({ notPrincipals: ['a'] }),
    ...['0.0.0.0/0', '::/0', '0::/00', '00.0.0.0/0', 'FE80::/0'].map((block) =>
      source({ ipBlocks: [block] }),
    ),
    operation({ paths: ['*'] }),
    operation({ paths: ['/*'] }),
    operation({ paths: ['/{**}'] }),
    operation({ paths: ['{**}'] }),
    operation({ notPaths: ['/admin'] }),
    operation({ hosts: ['*'] }),
    when({ key: 'source.ip', values: ['*'] }),
    when({ key: 'source.ip', values: ['10.0.0.1', '0.0.0.0/0'] }),
    when({ key: 'request.auth.claims[sub]', values: [] }),
    when({ key: 'x.request.auth.claims[sub]', values: ['*'] }),
    when({ key: 'source.ip', notValues: ['10.0.0.1'] }),
    when({ values: ['*'] }),
    when(),
  ])('%j is about every call', (rule) => {
    expect(policy({ rules: [source({ principals: ['a'] }), rule] })).toEqual([everything(1)]);
  });
});

describe('callers', () => {
  const from = (...sources: object[]) => ({ from: sources.map((source) => ({ source })) });
  const when = (key: string, more: object) => ({ when: [{ key, ...more }] });

  test.each([
    from({ principals: ['a'] }),
    from({ namespaces: ['shop'] }, { ipBlocks: ['10.0.0.0/8'] }),
    from({ requestPrincipals: ['*'] }),
    when('source.principal', { values: ['a'] }),
    when('source.namespace', { values: ['shop'] }),
    when('remote.ip', { values: ['10.0.0.1'] }),
    when('request.auth.claims[sub]', { values: ['*'] }),
  ])('%j says who may call', (rule) => {
    expect(namesCaller(rule)).toBe(true);
  });

  test.each([
    {},
    { from: [] },
    from({}),
    from({ principals: ['a'] }, { notPrincipals: ['b'] }),
    from({ principals: ['*'] }),
    { to: [{ operation: { paths: ['/a'] } }] },
    when('request.headers[x-a]', { values: ['a'] }),
    when('destination.port', { values: ['80'] }),
    when('source.principal', { values: ['*'] }),
    when('source.principal', { notValues: ['a'] }),
  ])('%j does not', (rule) => {
    expect(namesCaller(rule)).toBe(false);
  });
});
