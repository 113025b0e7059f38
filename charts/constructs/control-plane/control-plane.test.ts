import { describe, expect, test } from '@jest/globals';
import { lab, released } from '../../platforms.ts';
import { synthesize } from '../../synth.ts';
import { expectGolden } from '../../testing/golden.ts';
import { objectOf, objectsOf, twoClusters } from '../../testing/mesh.ts';
import type { Platform } from '../scope/platform.ts';

const operators = (platform: Platform) => {
  const rendered = synthesize(twoClusters('.', platform));
  return ['east', 'west'].map((cluster) => objectOf(rendered, cluster, 'IstioOperator', 'istio'));
};

test('each cluster is a primary of one mesh: its own name and network, a shared mesh ID and trust domain', () => {
  expect(operators(lab)).toMatchObject(
    ['east', 'west'].map((name) => ({
      spec: {
        meshConfig: { trustDomain: 'demo.example' },
        values: { global: { meshID: 'demo', multiCluster: { clusterName: name }, network: `net-${name}` } },
      },
    })),
  );
});

test('istiod learns the network from the label of its namespace, the only one without restricted pods', () => {
  const rendered = synthesize(twoClusters('.'));
  const levels = objectsOf(rendered, 'west')
    .filter(({ kind }) => kind === 'Namespace')
    .map(({ metadata }) => [metadata.name, metadata.labels?.['pod-security.kubernetes.io/enforce']]);
  expect(levels).toEqual([
    ['istio-eastwest', 'restricted'],
    ['istio-ingress', 'restricted'],
    ['istio-system', 'privileged'],
  ]);
  expect(objectOf(rendered, 'west', 'Namespace', 'istio-system')).toMatchObject({
    metadata: { labels: { 'topology.istio.io/network': 'net-west' } },
  });
});

test('istiod fetches keys of token issuers from no address that a machine or a cloud has for itself', () => {
  const [east] = operators(lab);
  expect(east).toMatchObject({
    spec: {
      values: {
        pilot: {
          env: {
            BLOCKED_CIDRS_IN_JWKS_URIS: '127.0.0.0/8,::1/128,169.254.0.0/16,fe80::/10,fd00:ec2::254/128',
          },
        },
      },
    },
  });
});

describe('the platform decides', () => {
  test('the lab: one istiod, and nothing that upstream Envoy lacks', () => {
    const [east] = operators(lab);
    expect(east).toMatchObject({
      spec: {
        hub: 'localhost/meshwright',
        values: {
          global: { defaultPodDisruptionBudget: { enabled: false } },
          pilot: {
            autoscaleEnabled: false,
            replicaCount: 1,
            env: { PILOT_ENABLE_ALPN_FILTER: 'false', PILOT_ENABLE_METADATA_EXCHANGE: 'false' },
          },
          telemetry: { enabled: false },
        },
      },
    });
    expectGolden(import.meta.url, 'control-plane-lab', [east!]);
  });

  test('released Istio: its own filters, istiod scaled from two', () => {
    const [east] = operators(released({ imageHub: 'registry.example/shop', istioTag: '1.29.2' }));
    expect(east).toMatchObject({
      spec: {
        hub: 'docker.io/istio',
        tag: '1.29.2',
        values: {
          global: { defaultPodDisruptionBudget: { enabled: true } },
          pilot: { autoscaleEnabled: true, autoscaleMin: 2, autoscaleMax: 5 },
        },
      },
    });
    expect(JSON.stringify(east)).not.toMatch(/PILOT_ENABLE|telemetry/);
    expectGolden(import.meta.url, 'control-plane-released', [east!]);
  });
});
