import { expect, test } from '@jest/globals';
import { synthesize } from '../../synth.ts';
import { expectGolden } from '../../testing/golden.ts';
import { twoClusters } from '../../testing/mesh.ts';

test('mutual TLS is strict for the whole mesh, nothing may be called, and every proxy logs; the same in each cluster', () => {
  const [east, west] = synthesize(twoClusters('.')).filter(({ stage }) => stage === '30-mesh');
  // In the root namespace and without a selector: for every workload.
  expect(east!.objects).toContainEqual(
    expect.objectContaining({
      kind: 'PeerAuthentication',
      metadata: expect.objectContaining({ namespace: 'istio-system' }),
      spec: { mtls: { mode: 'STRICT' } },
    }),
  );
  // A policy without rules allows nothing; in the root namespace that goes for gateways, too.
  expect(east!.objects).toContainEqual(
    expect.objectContaining({
      kind: 'AuthorizationPolicy',
      metadata: expect.objectContaining({ name: 'allow-nothing', namespace: 'istio-system' }),
      spec: {},
    }),
  );
  // Calls move from a gateway that ends before it is gone: a connection is older than its drain at no time.
  expect(east!.objects).toContainEqual(
    expect.objectContaining({
      kind: 'EnvoyFilter',
      metadata: expect.objectContaining({ name: 'connection-age', namespace: 'istio-system' }),
    }),
  );
  expect(east!.yaml).toContain('max_connection_duration: 20s');
  expect(east!.yaml).toContain('http1_safe_max_connection_duration: true');
  expect(west!.yaml).toBe(east!.yaml);
  expectGolden(import.meta.url, 'mesh-defaults', east!.objects);
});
