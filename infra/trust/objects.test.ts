import { beforeAll, afterAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { trustAnchorsName } from '../../charts/constructs/scope/names.ts';
import type { TrustSettings } from '../plan/stack-config.ts';
import { makeCertificate } from '../testing/certificates.ts';
import { ensureTrust } from './folder.ts';
import type { ClusterTrust } from './folder.ts';
import {
  cacertsSecret,
  hasOtherRoot,
  readCacerts,
  trustAnchors,
  trustChecksum,
  trustObject,
  withTrust,
} from './objects.ts';

let directory: string;
let first: ClusterTrust;
let second: ClusterTrust;
const make = async (settings: TrustSettings) =>
  (await ensureTrust(directory, 'shop', ['east'], 'istio-system', settings))['east']!;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'objects-'));
  first = await make({ generation: 1, intermediate: 1 });
  second = await make({ generation: 1, intermediate: 2 });
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

test('the anchors are mesh configuration whose text changes with the CA that signs, and which no key is in', () => {
  const object = trustAnchors('shop', 'istio-system', first) as unknown as { data: { mesh: string } };
  const { caCertificates } = parse(object.data.mesh) as { caCertificates: { pem: string }[] };
  expect(caCertificates).toHaveLength(1);
  expect(caCertificates[0]?.pem).toMatch(/^# signed by the CA [0-9a-f]{16}\n-----BEGIN CERTIFICATE-----\n/);
  expect(caCertificates[0]?.pem.split('\n').slice(1).join('\n')).toBe(first.roots);
  expect(first.roots).toBe(second.roots);
  expect(trustAnchors('shop', 'istio-system', second)).not.toEqual(object);
  expect(JSON.stringify(object)).not.toContain('PRIVATE KEY');
  expect(object).toMatchObject({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: trustAnchorsName,
      namespace: 'istio-system',
      labels: { 'app.kubernetes.io/managed-by': 'meshwright', 'app.kubernetes.io/part-of': 'shop' },
    },
  });
});

test('every istiod is rolled out for another CA, whatever its revision, and nothing else', () => {
  const deployment = (name: string, app: string, annotations?: Record<string, string>) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels: { app } },
    spec: { replicas: 1, template: { metadata: { ...(annotations && { annotations }) }, spec: { a: 1 } } },
  });
  const others = [
    deployment('gateway', 'gateway'),
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'istiod', labels: { app: 'istiod' } } },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'istiod' }, spec: { template: {} } },
  ];
  const istiods = [deployment('istiod', 'istiod', { kept: 'yes' }), deployment('istiod-canary', 'istiod')];
  const mark = (trust: ClusterTrust) => {
    const [one, other, ...rest] = withTrust([...istiods, ...others], trust) as unknown as typeof istiods;
    expect(rest).toEqual(others);
    expect(other).toMatchObject(istiods[1]!);
    expect(one?.spec.template).toMatchObject({ metadata: { annotations: { kept: 'yes' } }, spec: { a: 1 } });
    return [one, other].map((each) => each?.spec.template.metadata.annotations?.[trustChecksum]);
  };
  const [before, canary] = mark(first);
  expect(before).toMatch(/^[0-9a-f]{16}$/);
  expect(canary).toBe(before);
  expect(mark(first)).toEqual([before, before]);
  expect(mark(second)[0]).not.toBe(before);
});

const base64 = (text: string) => Buffer.from(text).toString('base64');
/** A Secret as cert-manager makes it. */
const issued = (trust: ClusterTrust, roots = trust.roots) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'cacerts', namespace: 'istio-system' },
  data: { 'tls.crt': base64(trust.certificate), 'tls.key': base64(trust.key), 'ca.crt': base64(roots) },
});

test('the Secret has the files that istiod reads, the labels of the mesh and the state of its trust', () => {
  expect(cacertsSecret('shop', 'istio-system', second)).toEqual({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: {
      name: 'cacerts',
      namespace: 'istio-system',
      labels: { 'app.kubernetes.io/managed-by': 'meshwright', 'app.kubernetes.io/part-of': 'shop' },
      annotations: { 'meshwright/trust-generation': '1', 'meshwright/trust-intermediate': '2' },
    },
    data: {
      'ca-cert.pem': base64(second.certificate),
      'ca-key.pem': base64(second.key),
      'cert-chain.pem': base64(second.chain),
      'root-cert.pem': base64(second.roots),
    },
  });
});

test('a planned object is the Secret or the anchors, in its own namespace', () => {
  const namespace = 'mesh-system';
  expect(trustObject({ kind: 'cacerts', name: 'cacerts', namespace }, 'shop', first)).toEqual(
    cacertsSecret('shop', namespace, first),
  );
  expect(trustObject({ kind: 'trust-anchors', name: trustAnchorsName, namespace }, 'shop', first)).toEqual(
    trustAnchors('shop', namespace, first),
  );
});

test("a live Secret is read in istiod's form and in cert-manager's, which istiod prefers", () => {
  const held = { certificate: first.certificate, roots: first.roots };
  const own = cacertsSecret('shop', 'istio-system', first) as ReturnType<typeof issued>;
  expect(readCacerts(own)).toEqual(held);
  expect(readCacerts(issued(first))).toEqual(held);
  const both = cacertsSecret('shop', 'istio-system', second) as ReturnType<typeof issued>;
  expect(readCacerts({ ...own, data: { ...both.data, ...issued(first).data } })).toEqual(held);
  expect(readCacerts({ ...own, data: {} })).toEqual({ certificate: '', roots: '' });
});

describe('hasOtherRoot', () => {
  let stranger: string;
  beforeAll(async () => {
    stranger = (await makeCertificate({ name: 'stranger' })).certificate;
  });

  test('is about every root that is held, and none that is only known', () => {
    expect(hasOtherRoot(issued(first), [first.roots])).toBe(false);
    expect(hasOtherRoot(issued(first), [stranger, first.roots])).toBe(false);
    expect(hasOtherRoot(issued(first), [`${stranger}${first.roots}`])).toBe(false);
    expect(hasOtherRoot(issued(first), [stranger])).toBe(true);
    expect(hasOtherRoot(issued(first), [])).toBe(true);
    expect(hasOtherRoot(issued(first, `${first.roots}${stranger}`), [first.roots])).toBe(true);
  });

  test('holds for a Secret whose roots cannot be read, and not where there is none', () => {
    expect(hasOtherRoot(issued(first, 'no certificate'), [first.roots])).toBe(true);
    expect(hasOtherRoot(undefined, [first.roots])).toBe(false);
  });
});
