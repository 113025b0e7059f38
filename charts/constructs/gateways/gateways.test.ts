import { describe, expect, test } from '@jest/globals';
import { lab, released } from '../../platforms.ts';
import { synthesize } from '../../synth.ts';
import { expectGolden } from '../../testing/golden.ts';
import { objectOf, objectsOf, twoClusters } from '../../testing/mesh.ts';

const large = released({ imageHub: 'registry.example/shop', istioTag: '1.29.2' });

describe('east-west gateway', () => {
  const rendered = synthesize(twoClusters('.', large));
  const name = 'istio-eastwestgateway';

  test('opens its network to the others: passes mutual TLS through, and serves nothing else', () => {
    for (const cluster of ['east', 'west']) {
      expect(objectOf(rendered, cluster, 'Service', name)).toMatchObject({
        metadata: { labels: { 'topology.istio.io/network': `net-${cluster}` } },
        spec: { type: 'LoadBalancer', ports: [{ port: 15021 }, { port: 15443, name: 'tls' }] },
      });
      expect(objectOf(rendered, cluster, 'Deployment', name)).toMatchObject({
        spec: {
          template: {
            metadata: { labels: { 'topology.istio.io/network': `net-${cluster}` } },
            spec: {
              containers: [{ env: [{ name: 'ISTIO_META_REQUESTED_NETWORK_VIEW', value: `net-${cluster}` }] }],
            },
          },
        },
      });
    }
    expect(objectOf(rendered, 'east', 'Gateway', 'cross-network-gateway')).toMatchObject({
      spec: { servers: [{ port: { number: 15443 }, tls: { mode: 'AUTO_PASSTHROUGH' }, hosts: ['*.local'] }] },
    });
    expectGolden(import.meta.url, 'east-west-gateway', objectsOf(rendered, 'east', 'istio-eastwest'));
  });

  test('with two replicas they are kept apart, and drained one at a time', () => {
    expect(objectOf(rendered, 'east', 'PodDisruptionBudget', name)).toMatchObject({
      spec: { maxUnavailable: 1 },
    });
    expect(objectOf(rendered, 'east', 'Deployment', name)).toMatchObject({
      spec: {
        replicas: 2,
        template: {
          spec: {
            topologySpreadConstraints: [
              { topologyKey: 'topology.kubernetes.io/zone' },
              { topologyKey: 'kubernetes.io/hostname' },
            ],
          },
        },
      },
    });
  });
});

describe('ingress gateway', () => {
  const rendered = synthesize(twoClusters('.', lab));

  test('takes HTTP on port 80 at an unprivileged port of the pod', () => {
    expect(objectOf(rendered, 'west', 'Service', 'istio-ingressgateway')).toMatchObject({
      spec: { type: 'LoadBalancer', ports: [{ port: 15021 }, { port: 80, targetPort: 8080 }] },
    });
    expectGolden(import.meta.url, 'ingress-gateway', objectsOf(rendered, 'west', 'istio-ingress'));
  });

  test('with one replica has no budget that would only block a drain', () => {
    expect(objectOf(rendered, 'west', 'PodDisruptionBudget', 'istio-ingressgateway')).toBeUndefined();
  });

  test('is injected from the gateway template, and its image is not pulled before that', () => {
    expect(objectOf(rendered, 'west', 'Deployment', 'istio-ingressgateway')).toMatchObject({
      spec: {
        template: {
          metadata: {
            annotations: { 'inject.istio.io/templates': 'gateway' },
            labels: { 'sidecar.istio.io/inject': 'true' },
          },
          spec: { containers: [{ name: 'istio-proxy', image: 'auto', imagePullPolicy: 'IfNotPresent' }] },
        },
      },
    });
  });
});
