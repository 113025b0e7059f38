import { beforeAll, afterAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { TrustSettings } from '../plan/stack-config.ts';
import { ensureTrust } from './folder.ts';
import type { ClusterTrust } from './folder.ts';
import { trustAnchors, trustChecksum, withTrust } from './objects.ts';

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
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'istiod' } },
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
