import { describe, expect, test } from '@jest/globals';
import { anySourceAnnotation } from '../../model/labels.ts';
import type { KubernetesObject } from '../../model/mesh-model.ts';
import { violationsOf } from './rule.ts';
import { packRules } from './rules.ts';

/** What the pack says of an object, each with its rule. */
const judge = (object: unknown) =>
  packRules.flatMap((rule) =>
    violationsOf(rule, object as KubernetesObject).map(({ what, fix }) => `${rule.name}: ${what}; ${fix}`),
  );

describe('the policy pack', () => {
  const istio = (group: string, kind: string, spec: object) => ({
    apiVersion: `${group}.istio.io/v1`,
    kind,
    metadata: { name: 'one', namespace: 'shop' },
    spec,
  });
  const peers = (spec: object) => istio('security', 'PeerAuthentication', spec);
  const destination = (spec: object) => istio('networking', 'DestinationRule', spec);
  const access = (spec: object) => istio('security', 'AuthorizationPolicy', spec);
  const bounded = { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '64Mi' } };
  const pods = (container: object, template: object = {}, kind = 'Deployment', labels = {}) => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'one', namespace: 'shop', labels },
    spec: {
      template: { ...template, spec: { containers: [{ name: 'app', resources: bounded, ...container }] } },
    },
  });
  const balancer = (spec: object, annotations: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'one', annotations },
    spec: { type: 'LoadBalancer', ...spec },
  });
  const digest = `registry.example:5000/app@sha256:${'0a'.repeat(32)}`;
  const newest = 'without a tag it means the newest image; use a digest or a fixed tag';
  const moved = (tag: string) => `the tag "${tag}" may move to another image; use a digest or a fixed tag`;
  const anyAddress = `any address may call this load balancer; list the ranges that may, or give the reason in the annotation ${anySourceAnnotation}`;

  test.each<[what: string, object: object, said: readonly string[]]>([
    ['strict', peers({ mtls: { mode: 'STRICT' }, portLevelMtls: { 80: { mode: 'STRICT' } } }), []],
    [
      'permissive',
      peers({ mtls: { mode: 'PERMISSIVE' } }),
      ['strict-mutual-tls: spec.mtls.mode is PERMISSIVE: it accepts calls in plaintext; use STRICT'],
    ],
    [
      'off on a port',
      peers({ mtls: { mode: 'STRICT' }, portLevelMtls: { 8080: { mode: 'DISABLE' } } }),
      [
        'strict-mutual-tls: spec.portLevelMtls.8080.mode is DISABLE: it accepts calls in plaintext; use STRICT',
      ],
    ],
    [
      'a caller in plaintext',
      destination({
        host: 'catalog.shop.svc.cluster.local',
        subsets: [
          {
            name: 'v1',
            trafficPolicy: { portLevelSettings: [{ port: { number: 80 }, tls: { mode: 'DISABLE' } }] },
          },
        ],
      }),
      [
        'strict-mutual-tls: spec.subsets.v1.trafficPolicy.portLevelSettings[0].tls.mode is DISABLE: calls to catalog.shop.svc.cluster.local are in plaintext; use ISTIO_MUTUAL',
      ],
    ],
    [
      'plaintext to outside',
      destination({ host: 'old.example', trafficPolicy: { tls: { mode: 'DISABLE' } } }),
      [],
    ],
    ['deny all', access({}), []],
    ['deny everybody something', access({ action: 'DENY', rules: [{}] }), []],
    [
      'an identity',
      access({ rules: [{ from: [{ source: { principals: ['shop.example/ns/shop/sa/edge'] } }] }] }),
      [],
    ],
    ['paths for all', access({ rules: [{ to: [{ operation: { paths: ['/healthz'] } }] }] }), []],
    [
      'an empty rule',
      access({ rules: [{ when: [{ key: 'source.ip', values: ['10.0.0.1'] }] }, {}] }),
      ['no-allow-all: spec.rules[1] allows every call; restrict who may call (from), what (to), or when'],
    ],
    [
      'any identity, any path',
      access({
        action: 'ALLOW',
        rules: [{ from: [{ source: { principals: ['*'] } }], to: [{ operation: { paths: ['*'] } }] }],
      }),
      ['no-allow-all: spec.rules[0] allows every call; restrict who may call (from), what (to), or when'],
    ],
    [
      'one of two sources is every address',
      access({ rules: [{ from: [{ source: { namespaces: ['shop'] } }, { source: {} }] }] }),
      ['no-allow-all: spec.rules[0] allows every call; restrict who may call (from), what (to), or when'],
    ],
    ['a digest', pods({ image: digest }), []],
    ['a release', pods({ image: 'registry.example:5000/app:1.31-dev.eed52ebb66ad' }), []],
    [
      'an injected proxy',
      pods({ image: 'auto' }, { metadata: { labels: { 'sidecar.istio.io/inject': 'true' } } }),
      [],
    ],
    [
      'auto, not injected',
      pods({ image: 'auto' }),
      [`pinned-images: containers[app].image is "auto": ${newest}`],
    ],
    ['none', pods({}), [`pinned-images: containers[app].image is missing: ${newest}`]],
    [
      'a port is not an image tag',
      pods({ image: 'registry.example:5000/app' }),
      [`pinned-images: containers[app].image is "registry.example:5000/app": ${newest}`],
    ],
    ...['latest', 'main', '1', 'v1.29'].map((tag): [string, object, string[]] => [
      tag,
      pods({ image: `app:${tag}` }),
      [`pinned-images: containers[app].image is "app:${tag}": ${moved(tag)}`],
    ]),
    [
      'no resources',
      pods({ image: digest, resources: {} }),
      [
        'bounded-resources: containers[app].resources lacks requests.cpu, requests.memory, limits.memory; set what is missing',
      ],
    ],
    [
      'an init container',
      {
        kind: 'CronJob',
        apiVersion: 'batch/v1',
        spec: {
          jobTemplate: {
            spec: {
              template: {
                spec: {
                  initContainers: [
                    { name: 'prepare', image: digest, resources: { requests: bounded.requests } },
                  ],
                },
              },
            },
          },
        },
      },
      ['bounded-resources: initContainers[prepare].resources lacks limits.memory; set what is missing'],
    ],
    [
      "Istio's control plane",
      pods({ image: digest, resources: { requests: bounded.requests } }, {}, 'Deployment', {
        'operator.istio.io/component': 'Pilot',
      }),
      [],
    ],
    ['ranges', balancer({ loadBalancerSourceRanges: ['10.0.0.0/8'] }), []],
    ['a reason', balancer({}, { [anySourceAnnotation]: 'customers call from anywhere' }), []],
    ['inside the cluster', { ...balancer({}), spec: { type: 'ClusterIP' } }, []],
    ['no range', balancer({}), [`known-sources: spec.loadBalancerSourceRanges is missing: ${anyAddress}`]],
    [
      'an empty reason',
      balancer({ loadBalancerSourceRanges: [] }, { [anySourceAnnotation]: ' ' }),
      [`known-sources: spec.loadBalancerSourceRanges is empty: ${anyAddress}`],
    ],
    [
      'the whole world',
      balancer({ loadBalancerSourceRanges: ['10.0.0.0/8', '::/0'] }),
      [`known-sources: spec.loadBalancerSourceRanges contains ::/0: ${anyAddress}`],
    ],
  ])('%s', (_, object, said) => {
    expect(judge(object)).toEqual(said);
  });
});
