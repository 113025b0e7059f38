import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseQuantity } from '../../apps/config/quantity.ts';
import type { IstioSpec } from '../model/istio-models.ts';
import { problemsWith } from '../testing/custom.ts';
import { clusters, problemsOf } from '../testing/mesh.ts';
import { lab } from '../platforms.ts';
import { Mesh } from './mesh.ts';

const declare = (props: object) =>
  problemsOf(new Mesh('demo', { root: '.', trustDomain: 'demo.example', clusters, platform: lab, ...props }));

describe('D3: a trust domain is one to istiod, too', () => {
  const refused = (received: string) =>
    `demo: trustDomain: is not a trust domain; received ${JSON.stringify(received)}; allowed labels of 1 to 63 of a-z, 0-9 and inner hyphens, separated by dots, up to 255 characters in total, such as shop.example`;

  test.each(['a..b', 'my_org.example', `${'a'.repeat(64)}.example`, '.a', 'a.', '-a.b', 'A.b', 'a b'])(
    '%s is none',
    (trustDomain) => {
      expect(declare({ trustDomain })).toEqual([refused(trustDomain)]);
    },
  );

  test('of 256 characters', () => {
    const [problem = ''] = declare({ trustDomain: `${'a'.repeat(62)}.`.repeat(4).concat('abcd') });
    expect(problem).toMatch(
      /^demo: trustDomain: is not a trust domain; received "a{62}\.a+…; allowed labels of /,
    );
  });

  /** Istio's own rule: `ValidateTrustDomain` in istio.io/istio/pkg/config/validation/agent, and `IsDNS1123Label`. */
  const istioTakes = (domain: string) =>
    domain
      .split('.')
      .every((label) => label.length <= 63 && /^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$/.test(label));
  const letter = fc.constantFrom('a', 'b', '0', '9', '-', '.', '_', 'A');

  test('whatever is taken is one to istiod, and to SPIFFE', () => {
    fc.assert(
      fc.property(fc.string({ unit: letter, minLength: 1, maxLength: 80 }), (trustDomain) => {
        const isTaken = declare({ trustDomain }).length === 0;
        expect(isTaken).toBe(istioTakes(trustDomain) && trustDomain === trustDomain.toLowerCase());
      }),
      { numRuns: 200 },
    );
  });
});

describe('D4: the amounts and numbers of a platform are checked like those of config.yml', () => {
  const platformWith = (change: object) => declare({ platform: { ...lab, ...change } });
  const limited = (group: object) => ({
    sidecar: { ...lab.sidecar, requests: { cpu: '1m', memory: '16Mi', ...group } },
  });
  const cpu = 'allowed a Kubernetes quantity as text, at least "1m", such as "250m"';
  const memory = 'allowed a Kubernetes quantity as text, at least "16Mi", such as "128Mi"';

  test.each<[object, string]>([
    [limited({ cpu: '0,5' }), `sidecar.requests.cpu: is not a resource quantity; received "0,5"; ${cpu}`],
    [
      limited({ memory: '128MB' }),
      `sidecar.requests.memory: is not a resource quantity; received "128MB"; ${memory}`,
    ],
    [
      limited({ memory: '128m' }),
      `sidecar.requests.memory: is not a resource quantity; received "128m"; ${memory}`,
    ],
    [limited({ cpu: 1 }), `sidecar.requests.cpu: is not a resource quantity; received 1; ${cpu}`],
    [
      limited({ cpu: '3' }),
      'sidecar.requests.cpu: is more than limits.cpu; received "3"; allowed at most 2; fix: lower the request or raise the limit',
    ],
    [
      { cni: { requests: { cpu: '5m' } } },
      `cni.requests.memory: is not a resource quantity; received nothing; ${memory}`,
    ],
    [
      { gateway: { ...lab.gateway, replicas: 0 } },
      'gateway.replicas: is not a number of pods; received 0; allowed a whole number from 1 to 1000',
    ],
    [
      { gateway: { ...lab.gateway, limits: { cpu: '2', memory: '127Mi' } } },
      'gateway.limits.memory: is too little memory for a gateway, which refuses requests before its memory is full; received "127Mi"; allowed at least "128Mi"; fix: raise it',
    ],
    [
      {
        gateway: {
          ...lab.gateway,
          limits: { cpu: '2', memory: '15Mi' },
          requests: { cpu: '5m', memory: '32Mi' },
        },
      },
      `gateway.limits.memory: is not a resource quantity; received "15Mi"; ${memory}`,
    ],
    [
      { gateway: { ...lab.gateway, nodePorts: 'no' } },
      'gateway.nodePorts: is not a boolean; received "no"; allowed true or false',
    ],
    [
      { controlPlane: { ...lab.controlPlane, minReplicas: 5, maxReplicas: 2 } },
      'controlPlane.maxReplicas: is fewer than minReplicas; received 2; allowed 5 or more; fix: raise it, or lower minReplicas',
    ],
    [
      { controlPlane: { ...lab.controlPlane, minReplicas: 1.5 } },
      'controlPlane.minReplicas: is not a number of pods; received 1.5; allowed a whole number from 1 to 1000',
    ],
    [
      { istio: { ...lab.istio, proxy: 'envoy' } },
      'istio.proxy: is not a kind of proxy; received "envoy"; allowed istio, upstream-envoy',
    ],
    [
      { istio: { ...lab.istio, tag: 'a b' } },
      'istio.tag: is not an image tag; received "a b"; allowed such as 1.29.2',
    ],
  ])('%j', (change, problem) => {
    expect(platformWith(change)).toEqual([`demo: platform.${problem}`]);
  });

  test('whatever amount is taken is a quantity to Kubernetes', () => {
    const text = fc.string({
      unit: fc.constantFrom('0', '1', '5', '9', '.', ',', 'm', 'k', 'M', 'G', 'i', 'B', 'e', '+', '-', ' '),
      maxLength: 6,
    });
    fc.assert(
      fc.property(text, (amount) => {
        const isTaken = platformWith({ cni: { requests: { cpu: amount, memory: '16Mi' } } }).length === 0;
        expect(isTaken).toBe((parseQuantity(amount) ?? 0) >= 0.001);
      }),
      { numRuns: 200 },
    );
  });
});

describe('D7: a node port is there once in a cluster', () => {
  const nodePort = (ports: object) => ({ type: 'NodePort', addresses: ['192.0.2.1'], ports });
  const gateways = { eastWest: nodePort({ tls: 31443 }), ingress: nodePort({ http: 31080, https: 31443 }) };

  test('in what the mesh declares for its gateways', () => {
    expect(declare({ gateways })).toEqual(
      ['east', 'west'].map(
        (cluster) =>
          'demo: gateways.ingress.ports.https: is also the node port of gateways.eastWest.ports.tls ' +
          `in cluster ${cluster}; received 31443; fix: choose another`,
      ),
    );
  });

  test('in what a cluster declares for itself', () => {
    const { eastWest, ingress } = gateways;
    const east = { ...clusters.east, gateways: { ingress } };
    expect(declare({ gateways: { eastWest }, clusters: { ...clusters, east } })).toEqual([
      'demo: clusters.east.gateways.ingress.ports.https: is also the node port of gateways.eastWest.ports.tls ' +
        'in cluster east; received 31443; fix: choose another',
    ]);
  });

  test('in Services of one’s own', () => {
    const problems = problemsWith((into) => {
      for (const name of ['a', 'b']) {
        const ports = [{ name: 'http', port: 80, nodePort: 31443 }];
        const type = { apiVersion: 'v1', kind: 'Service' };
        into.addCustom(
          '40-services',
          type,
          { name, namespace: 'shop' },
          { spec: { type: 'NodePort', ports } },
        );
      }
    });
    expect(problems).toEqual([
      'demo/custom: Service shop/b claims node port 31443 (TCP), as does Service shop/a of demo/custom; fix: keep one of them',
    ]);
  });
});

test('D9: two hosts on one port of a protocol without host names are refused', () => {
  const entry = (hosts: string[], protocol: string): IstioSpec<'ServiceEntry'> => ({
    hosts,
    location: 'MESH_EXTERNAL',
    resolution: 'DNS',
    ports: [{ number: 5432, name: 'db', protocol }],
  });
  const said = (...entries: readonly IstioSpec<'ServiceEntry'>[]) =>
    problemsWith((into) => {
      entries.forEach((spec, index) => {
        const metadata = { name: `e${index}`, namespace: 'shop' };
        into.addIstio('40-services', 'demo/custom', 'ServiceEntry', metadata, spec);
      });
    });
  const claimed = 'claims all calls to port 5432 outside the mesh (TCP)';
  expect(said(entry(['a.example'], 'TCP'), entry(['b.example'], 'TCP'))).toEqual([
    `demo/custom: ServiceEntry shop/e1 ${claimed}, as does ServiceEntry shop/e0 of demo/custom; fix: keep one of them`,
  ]);
  expect(said(entry(['a.example', 'b.example'], 'TCP'))).toEqual([
    `demo/custom: ServiceEntry shop/e0 ${claimed} twice; fix: keep one of them`,
  ]);
  expect(
    said(entry(['a.example', 'b.example'], 'TLS'), {
      ...entry(['c.example', 'd.example'], 'TCP'),
      addresses: ['192.0.2.1', '192.0.2.2'],
    }),
  ).toEqual([]);
});
