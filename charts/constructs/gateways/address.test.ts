import { describe, expect, test } from '@jest/globals';
import { lab, Mesh, released, type Gateways } from '../../index.ts';
import { synthesize } from '../../synth.ts';
import { expectGolden } from '../../testing/golden.ts';
import { catalogIn, clusters, objectOf, objectsOf, problemsOf } from '../../testing/mesh.ts';
import { keptProject } from '../../testing/project.ts';
import { HttpEdge } from '../edge/http-edge.ts';

const root = keptProject();
const platform = released({ imageHub: 'registry.example/shop', istioTag: '1.29.2' });
interface Own {
  readonly east?: Gateways;
  readonly west?: Gateways;
}

function meshWith(gateways: Gateways | undefined, own: Own = {}, on = platform) {
  const { east, west } = clusters;
  return new Mesh('demo', {
    root,
    trustDomain: 'demo.example',
    clusters: {
      east: { ...east, ...(own.east && { gateways: own.east }) },
      west: { ...west, ...(own.west && { gateways: own.west }) },
    },
    platform: on,
    ...(gateways && { gateways }),
  });
}

const nodePorts: Gateways = {
  eastWest: { type: 'NodePort', addresses: ['192.0.2.10', 'nodes.west.example'], ports: { tls: 31443 } },
  ingress: { type: 'NodePort', addresses: ['192.0.2.10'], ports: { http: 30080 } },
};
const internal: Gateways = {
  eastWest: {
    type: 'LoadBalancer',
    sources: ['10.0.0.0/8', 'fd00::/8'],
    annotations: { 'service.beta.kubernetes.io/aws-load-balancer-scheme': 'internal' },
    class: 'service.k8s.aws/nlb',
  },
};

describe('a load balancer', () => {
  test('inside: lets in declared ranges only, as its controller asks for', () => {
    const rendered = synthesize(meshWith(internal));
    const service = objectOf(rendered, 'west', 'Service', 'istio-eastwestgateway');
    expect(service).toEqual(
      expect.objectContaining({
        spec: expect.objectContaining({
          type: 'LoadBalancer',
          loadBalancerSourceRanges: ['10.0.0.0/8', 'fd00::/8'],
          loadBalancerClass: 'service.k8s.aws/nlb',
        }),
      }),
    );
    expectGolden(import.meta.url, 'internal-load-balancer', service === undefined ? [] : [service]);
  });

  test('for the world says so, and why', () => {
    const open: Gateways = {
      ingress: { type: 'LoadBalancer', sources: { any: 'customers call from anywhere' } },
    };
    const service = objectOf(synthesize(meshWith(open)), 'east', 'Service', 'istio-ingressgateway');
    expect(service?.metadata.annotations).toEqual({
      'networking.istio.io/exportTo': '.',
      'meshwright/any-source': 'customers call from anywhere',
    });
    expect(service?.['spec']).not.toHaveProperty('loadBalancerSourceRanges');
  });

  test('of the lab says why it is open, one that nobody declared says nothing', () => {
    const annotationsOn = (on: typeof platform) =>
      objectOf(synthesize(meshWith(undefined, {}, on)), 'east', 'Service', 'istio-eastwestgateway')?.metadata
        .annotations;
    expect(annotationsOn(lab)).toMatchObject({
      'meshwright/any-source': 'only the machine that the lab runs on reaches it',
    });
    expect(annotationsOn(platform)).toEqual({ 'networking.istio.io/exportTo': '.' });
  });
});

describe('node ports', () => {
  const mesh = meshWith(undefined, { west: nodePorts });
  const rendered = synthesize(mesh);

  test('open the declared ports and no other, beside a load balancer in the next cluster', () => {
    expect(objectOf(rendered, 'west', 'Service', 'istio-eastwestgateway')).toMatchObject({
      spec: { type: 'NodePort', ports: [{ name: 'tls', port: 15443, targetPort: 15443, nodePort: 31443 }] },
    });
    expect(objectOf(rendered, 'east', 'Service', 'istio-eastwestgateway')).toMatchObject({
      spec: { type: 'LoadBalancer' },
    });
    expectGolden(
      import.meta.url,
      'node-ports',
      ['istio-eastwest', 'istio-ingress']
        .flatMap((namespace) => objectsOf(rendered, 'west', namespace))
        .filter(({ kind }) => kind === 'Service'),
    );
  });

  test('are told to every control plane by address and port, and to those who read the model', () => {
    for (const cluster of ['east', 'west']) {
      expect(objectOf(rendered, cluster, 'IstioOperator', 'istio')).toMatchObject({
        spec: {
          values: {
            global: {
              meshNetworks: {
                'net-west': {
                  endpoints: [{ fromRegistry: 'west' }],
                  gateways: [
                    { address: '192.0.2.10', port: 31443 },
                    { address: 'nodes.west.example', port: 31443 },
                  ],
                },
              },
            },
          },
        },
      });
    }
    const { eastWest, ingress } = mesh.model();
    expect(eastWest!.given).toEqual({
      west: { addresses: ['192.0.2.10', 'nodes.west.example'], port: 31443 },
    });
    expect(ingress!.given).toEqual({ west: { addresses: ['192.0.2.10'], port: 30080 } });
  });

  test('leave the control planes alone where there are none', () => {
    const operator = objectOf(synthesize(meshWith(internal)), 'east', 'IstioOperator', 'istio');
    expect(JSON.stringify(operator)).not.toContain('meshNetworks');
  });

  test('are a port that clients may put behind the host', () => {
    const sample = meshWith(undefined, { west: nodePorts });
    const shop = sample.namespace('shop');
    new HttpEdge(shop, 'edge', { expose: [catalogIn(shop)], hosts: ['api.example'] });
    const policy = objectOf(synthesize(sample), 'east', 'AuthorizationPolicy', 'edge.shop');
    expect(JSON.stringify(policy)).toContain('"hosts":["api.example","api.example:80","api.example:30080"]');
  });

  test('need one for TLS once an edge has it', () => {
    const sample = meshWith(undefined, { west: nodePorts });
    const shop = sample.namespace('shop');
    new HttpEdge(shop, 'edge', { expose: [catalogIn(shop)], hosts: ['api.example'], tls: { secret: 'api' } });
    expect(problemsOf(sample)).toEqual([
      'demo: clusters.west.gateways.ingress.ports.https: is missing: an edge has TLS, and cluster west has no port for HTTPS; allowed 30000 to 32767',
    ]);
  });
});

test('what is wrong with an address is told where it was declared', () => {
  const wrong = (gateways: unknown, own: Record<string, unknown> = {}) =>
    problemsOf(meshWith(gateways as Gateways, own));
  const forms =
    "{ type: 'LoadBalancer', sources } or { type: 'NodePort', addresses, ports }, or leave it out for any load balancer";
  const sources = "a list of CIDRs such as ['10.0.0.0/8'], or { any: REASON } for every address";
  const addresses = 'IP addresses, and fully qualified host names in lower case';
  expect(wrong(5)).toEqual(['demo: gateways: is not an object; received 5; allowed { eastWest, ingress }']);
  expect(wrong({ eastwest: {} }, { west: { ingress: 'x' } })).toEqual([
    'demo: clusters.west.gateways.ingress: is not an address; received "x"; allowed ' + forms,
    'demo: gateways.eastwest: unknown key; received "eastwest"; allowed eastWest, ingress; fix: did you mean eastWest?',
  ]);
  expect(wrong({ eastWest: { type: 'ClusterIP' } })).toEqual([
    `demo: gateways.eastWest.type: is not a type of gateway address; received "ClusterIP"; allowed ${forms}`,
  ]);
  expect(
    wrong({
      eastWest: {
        type: 'LoadBalancer',
        sources: [
          '10.0.0.1/8',
          '0.0.0.0/0',
          '10.0.0.0',
          'fd00::1/8',
          '10.0.0.0/8',
          '10.0.0.0/8',
          '10.0.0.0/33',
        ],
        annotations: { 'a b': 'x', internal: true, 'networking.istio.io/exportTo': '*' },
        class: '',
        port: 1,
      },
      ingress: { type: 'LoadBalancer', sources: { any: ' ' } },
    }),
  ).toEqual([
    'demo: gateways.eastWest.port: unknown key; received "port"; allowed type, sources, annotations, class; fix: remove it; a construct of your own that reads it passes on the other properties only',
    'demo: gateways.eastWest.sources[0]: has host bits set, so the range is wider than it looks; received "10.0.0.1/8"; fix: write 10.0.0.0/8, or a longer prefix',
    'demo: gateways.eastWest.sources[1]: is every address; received "0.0.0.0/0"; fix: write sources: { any: REASON }',
    'demo: gateways.eastWest.sources[2]: is not a CIDR; received "10.0.0.0"; allowed such as 10.0.0.0/8 or fd00::/8',
    'demo: gateways.eastWest.sources[3]: has host bits set, so the range is wider than it looks; received "fd00::1/8"; fix: write the first address of fd00::1/8, or a longer prefix',
    'demo: gateways.eastWest.sources[5]: the range is listed twice; received "10.0.0.0/8"; fix: remove one',
    'demo: gateways.eastWest.sources[6]: is not a CIDR; received "10.0.0.0/33"; allowed such as 10.0.0.0/8 or fd00::/8',
    'demo: gateways.eastWest.annotations.a b: is not the name of an annotation; received "a b"; allowed names with strings, such as { "networking.gke.io/load-balancer-type": "Internal" }',
    'demo: gateways.eastWest.annotations.internal: is not a string; received true; allowed a string, in quotes',
    'demo: gateways.eastWest.annotations.networking.istio.io/exportTo: is set by the gateway itself; received "*"; fix: remove it',
    'demo: gateways.eastWest.class: is not a load balancer class; received ""; allowed a name with or without a prefix, such as service.k8s.aws/nlb',
    `demo: gateways.ingress.sources: gives no reason why any address may connect; received {"any":" "}; allowed ${sources}`,
  ]);
  expect(
    wrong({
      eastWest: {
        type: 'NodePort',
        addresses: ['127.0.0.1', 'Node', '192.0.2.1', '192.0.2.1'],
        ports: { tls: 15443 },
      },
      ingress: { type: 'NodePort', addresses: [], ports: { http: 30080, https: 30080, tsl: 1 } },
    }),
  ).toEqual([
    `demo: gateways.eastWest.addresses[0]: cannot be reached from another cluster; received "127.0.0.1"; allowed ${addresses}`,
    `demo: gateways.eastWest.addresses[1]: is not an address; received "Node"; allowed ${addresses}`,
    'demo: gateways.eastWest.addresses[3]: the address is listed twice; received "192.0.2.1"; fix: remove one',
    'demo: gateways.eastWest.ports.tls: is not a node port; received 15443; allowed 30000 to 32767',
    `demo: gateways.ingress.addresses: is not a list of at least one address; received []; allowed ${addresses}`,
    'demo: gateways.ingress.ports.tsl: unknown key; received "tsl"; allowed http, https; fix: remove it; a construct of your own that reads it passes on the other properties only',
    'demo: gateways.ingress.ports.https: is also the port of http; received 30080; fix: choose another',
  ]);
  expect(wrong({ eastWest: { type: 'NodePort' }, ingress: { type: 'LoadBalancer', sources: [] } })).toEqual([
    `demo: gateways.eastWest.addresses: is not a list of at least one address; received nothing; allowed ${addresses}`,
    'demo: gateways.eastWest.ports: has no port for tls; received nothing; allowed { tls: 30000 to 32767 }',
    `demo: gateways.ingress.sources: lets no address connect; received []; allowed ${sources}`,
  ]);
});
