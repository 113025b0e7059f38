import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { EdgeModel, MeshModel } from '../../charts/model/mesh-model.ts';
import { formatEnding, type Ending } from './summary.ts';
import { anyStatus, dnsName, tooLong } from './testing/any-status.ts';
import { clusterStatus, meshStatus } from './testing/sample-status.ts';

const open: EdgeModel = {
  hosts: ['*'],
  tls: false,
  openapi: true,
  example: { path: '/v1/products', token: false },
  reads: [],
};

/** A mesh of which only its namespace and its edges matter. */
function modelWith(...edges: readonly EdgeModel[]): MeshModel {
  const workloads = edges.map((edge, index) => ({
    name: `edge-${index}`,
    namespace: 'shop',
    app: 'apps/gateway',
    services: [],
    placement: ['east', 'west'],
    deployments: [],
    answersFrom: ['east', 'west'],
    local: true,
    calls: [],
    ports: { http: 8080 },
    edge,
  }));
  const gateway = { namespace: 'istio', name: 'gateway', port: 80, given: {} };
  return {
    name: 'shop',
    trustDomain: 'shop.example',
    clusters: [],
    controlPlane: { namespace: 'istio-system' },
    ingress: gateway,
    eastWest: gateway,
    namespaces: ['shop'],
    workloads,
    images: [],
    istio: { hub: 'docker.io/istio', tag: '1.29.2' },
  };
}

const access = (kubeconfig: string, prefix = '') => ({
  east: { kubeconfig, context: `${prefix}east` },
  west: { kubeconfig, context: `${prefix}west` },
});

const lab: Ending = {
  model: modelWith(open),
  record: { engine: 'apply', lab: true, access: access('/home/ann/shop/.meshwright/kubeconfig') },
  status: meshStatus(),
  proved: ['orders in east gets to catalog: GetProduct answered by east/catalog-1', 'an outsider is refused'],
  remarks: [],
  applied: 'nothing to change: all 123 objects are as declared',
  seconds: 12,
};

/** What an ending says of calls: the lines between the title and the next one. */
function calls(ending: Ending): string {
  const [, after = ''] = formatEnding(ending).split(
    '  call it through the ingress gateway of each cluster:\n',
  );
  return after.split(/\n {2}\S/)[0] ?? '';
}

describe('the end of up', () => {
  test('in the lab', () => {
    expect(formatEnding(lab)).toBe(`\
healthy: 2 clusters and 2 services are ready, and clusters reach each other
proved by real calls: the 2 claims above
nothing to change: all 123 objects are as declared; 12 s in all

Next:
  call it through the ingress gateway of each cluster:
    curl http://172.29.0.10/v1/products
    curl http://172.29.0.20/v1/products
  read its HTTP API in a browser:
    http://172.29.0.10/docs
  look inside with kubectl, contexts east, west:
    export KUBECONFIG=/home/ann/shop/.meshwright/kubeconfig
  add a service:
    npm run new -- NAME
  see its state:
    npm run status`);
  });

  test('in clusters of one’s own, without HTTP from outside', () => {
    expect(
      formatEnding({
        ...lab,
        model: modelWith(),
        record: { engine: 'pulumi', lab: false, access: access('/home/ann/.kube/config', 'prod-') },
        proved: ['orders in east gets to catalog: GetProduct answered by east/catalog-1'],
        remarks: ['not proved: failover, which scales a service to 0 for a moment (--prove)'],
        applied: 'Pulumi: 120 created, 0 changed, 0 deleted, 0 unchanged',
      }),
    ).toBe(`\
healthy: 2 clusters and 2 services are ready, and clusters reach each other
proved by real calls: the claim above
not proved: failover, which scales a service to 0 for a moment (--prove)
Pulumi: 120 created, 0 changed, 0 deleted, 0 unchanged; 12 s in all

Next:
  look inside with kubectl:
    kubectl --context prod-east --namespace shop get pods
    kubectl --context prod-west --namespace shop get pods
  add a service:
    npm run new -- NAME
  see its state:
    npm run status`);
  });

  test('of a mesh that is not healthy begins with what is wrong', () => {
    const status = meshStatus({
      services: { orders: { east: { desired: 1, ready: 0 } } },
    });
    expect(formatEnding({ ...lab, status, proved: [] })).toBe(`\
not healthy:
  - service orders: 0 of 1 pods are ready in east

CLUSTER  READY  NODES  ISTIO (PROXIES)  CA UNTIL    CONTEXT
east     yes    1      default (6)      2031-01-01  east
west     yes    1      default (6)      2031-01-01  west

GATEWAYS OF  INGRESS                EAST-WEST
east         http://172.29.0.10:80  172.29.0.10:15443
west         http://172.29.0.20:80  172.29.0.20:15443

SERVICE  READY IN EAST  READY IN WEST
orders   0/1            -

CONTROL PLANE OF  READS  STATE   TOKEN UNTIL
east              west   synced  2030-06-01
west              east   synced  2030-06-01

calls between clusters: answered, checked 2030-01-01T00:00:00.000Z
applied by: server-side apply
trust: generation 1, intermediate 1, root until 2039-12-30

nothing to change: all 123 objects are as declared; 12 s in all

Next:
  try again:
    npm run up
  look inside with kubectl, contexts east, west:
    export KUBECONFIG=/home/ann/shop/.meshwright/kubeconfig
  see its state:
    npm run status`);
  });

  const named: EdgeModel = { ...open, hosts: ['api.example', 'www.example'] };
  const nodePorts = meshStatus({
    clusters: { east: clusterStatus('10.0.0.1', 'west', { ingress: 'http://10.0.0.1:30080' }) },
  });

  test.each<[string, EdgeModel, string]>([
    [
      'a host of its own',
      named,
      "    curl --header 'host: api.example' http://172.29.0.10/v1/products\n" +
        "    curl --header 'host: api.example' http://172.29.0.20/v1/products",
    ],
    [
      'TLS',
      { ...named, tls: true },
      '    curl --connect-to ::172.29.0.10:443 https://api.example/v1/products\n' +
        '    curl --connect-to ::172.29.0.20:443 https://api.example/v1/products',
    ],
    [
      'TLS for any host',
      { ...open, tls: true },
      '    curl --insecure https://172.29.0.10/v1/products\n' +
        '    curl --insecure https://172.29.0.20/v1/products',
    ],
    [
      'tokens',
      { ...open, example: { path: '/v1/orders/ID', token: true } },
      '    curl --header "authorization: Bearer $TOKEN" \\\n      http://172.29.0.10/v1/orders/ID\n' +
        '    curl --header "authorization: Bearer $TOKEN" \\\n      http://172.29.0.20/v1/orders/ID',
    ],
    ['no GET', { hosts: ['*'], tls: false, openapi: false, reads: [] }, ''],
  ])('shows calls of an edge with %s', (_, edge, expected) => {
    expect(calls({ ...lab, model: modelWith(edge) })).toBe(expected);
  });

  test.each<[string, EdgeModel, string]>([
    ['HTTP', open, '    curl http://10.0.0.1:30080/v1/products'],
    // The node port of HTTPS is not known: DNS may lead there.
    ['TLS', { ...named, tls: true }, '    curl https://api.example/v1/products'],
    ['TLS for any host', { ...open, tls: true }, ''],
  ])('shows calls by a node port, with %s', (_, edge, expected) => {
    expect(calls({ ...lab, status: nodePorts, model: modelWith(edge) })).toBe(expected);
  });

  test('shows the page of each edge that has one', () => {
    const edges = [open, { ...named, tls: true }, { ...open, hosts: ['in.example'], openapi: false }];
    expect(formatEnding({ ...lab, model: modelWith(...edges) })).toContain(
      '  read its HTTP API in a browser:\n    http://172.29.0.10/docs\n    https://api.example/docs\n  look',
    );
  });

  test('keeps to 80 columns whatever the names are', () => {
    const edge: fc.Arbitrary<EdgeModel> = fc.record(
      {
        hosts: fc.oneof(fc.constant(['*']), fc.array(dnsName, { minLength: 1, maxLength: 2 })),
        tls: fc.boolean(),
        openapi: fc.boolean(),
        example: fc.record({ path: fc.stringMatching(/^(\/[\w.~:-]{1,60}){1,3}$/), token: fc.boolean() }),
        reads: fc.constant([]),
      },
      { requiredKeys: ['hosts', 'tls', 'openapi', 'reads'] },
    );
    const folder = fc
      .array(fc.stringMatching(/^[!-.0-~]{1,20}$/), { maxLength: 9 })
      .map((parts) => `/${parts.join('/')}`);
    fc.assert(
      fc.property(
        anyStatus,
        fc.array(edge, { maxLength: 3 }),
        folder,
        fc.boolean(),
        (status, edges, path, isLab) => {
          const ending = {
            ...lab,
            status,
            model: modelWith(...edges),
            record: { ...lab.record, lab: isLab, access: access(path) },
          };
          expect(tooLong(formatEnding(ending))).toEqual([]);
        },
      ),
    );
  });
});
