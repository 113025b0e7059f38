import { describe, expect, test } from '@jest/globals';
import type { Gateways } from '../scope/gateway-address.ts';
import { Mesh } from '../mesh.ts';
import { lab } from '../../platforms.ts';
import { synthesize } from '../../synth.ts';
import { catalogIn, objectOf, objectsOf, problemsOf } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { existingCaller } from '../existing/existing-caller.ts';

/** A mesh with a cluster for each network, in the order given, whose catalog is called from another namespace. */
function meshOn(root: string, networks: Readonly<Record<string, string>>, gateways?: Gateways) {
  const clusters = Object.fromEntries(
    Object.entries(networks).map(([name, network]) => [
      name,
      { network, region: `region-${name}`, zone: `zone-${name}`, ...(gateways && { gateways }) },
    ]),
  );
  const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters, platform: lab });
  const catalog = catalogIn(mesh.namespace('shop'));
  mesh.namespace('other');
  existingCaller(mesh, { namespace: 'other', serviceAccount: 'batch' }).calls(catalog.method.getProduct);
  return mesh;
}
const twenty = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`c${index}`, 'vpc']));

describe.each([
  ['one cluster', { one: 'vpc' }],
  ['two clusters on one network', { one: 'vpc', two: 'vpc' }],
  ['twenty clusters on one network', twenty],
])('%s', (_, networks) => {
  test('have no gateway between networks, and show nothing to one', () => {
    withProject({}, (root) => {
      const mesh = meshOn(root, networks);
      const rendered = synthesize(mesh);
      for (const cluster of Object.keys(networks)) {
        expect(objectsOf(rendered, cluster, 'istio-eastwest')).toEqual([]);
        expect(JSON.stringify(objectsOf(rendered, cluster))).not.toMatch(/eastwest|15443|AUTO_PASSTHROUGH/);
        expect(objectOf(rendered, cluster, 'Namespace', 'istio-system')?.metadata.labels).toMatchObject({
          'topology.istio.io/network': 'vpc',
        });
        expect(objectOf(rendered, cluster, 'IstioOperator', 'istio')).toHaveProperty(
          'spec.values.global.network',
          'vpc',
        );
        expect(objectOf(rendered, cluster, 'Service', 'catalog')?.metadata.annotations).toEqual({
          'networking.istio.io/exportTo': '.,other',
        });
        // What the other control planes read its endpoints by, where there are any.
        const reader = objectOf(rendered, cluster, 'ServiceAccount', 'istio-remote-reader');
        expect(reader !== undefined).toBe(Object.keys(networks).length > 1);
      }
      expect(mesh.model()).not.toHaveProperty('eastWest');
    });
  });
});

describe('two clusters on one network, and one on another', () => {
  const networks = { one: 'vpc', two: 'vpc', three: 'factory' };

  test('have a gateway each, which says what network it leads into', () => {
    withProject({}, (root) => {
      const rendered = synthesize(meshOn(root, networks));
      for (const [cluster, network] of Object.entries(networks)) {
        expect(
          objectOf(rendered, cluster, 'Service', 'istio-eastwestgateway')?.metadata.labels,
        ).toMatchObject({
          'topology.istio.io/network': network,
        });
        expect(objectOf(rendered, cluster, 'Service', 'catalog')?.metadata.annotations).toEqual({
          'networking.istio.io/exportTo': '.,istio-eastwest,other',
        });
      }
    });
  });

  test('on node ports, the network of two is reached by the gateways of both', () => {
    withProject({}, (root) => {
      const address = (last: number): Gateways => ({
        eastWest: { type: 'NodePort', addresses: [`192.0.2.${last}`], ports: { tls: 31443 } },
      });
      const at = { region: 'r', zone: 'z' };
      const mesh = new Mesh('demo', {
        root,
        trustDomain: 'demo.example',
        clusters: {
          one: { ...at, network: 'vpc', gateways: address(1) },
          two: { ...at, network: 'vpc', gateways: address(2) },
          three: { ...at, network: 'factory', gateways: address(3) },
        },
        platform: lab,
      });
      expect(objectOf(synthesize(mesh), 'three', 'IstioOperator', 'istio')).toHaveProperty(
        'spec.values.global.meshNetworks',
        {
          vpc: {
            endpoints: [{ fromRegistry: 'one' }, { fromRegistry: 'two' }],
            gateways: [
              { address: '192.0.2.1', port: 31443 },
              { address: '192.0.2.2', port: 31443 },
            ],
          },
          factory: {
            endpoints: [{ fromRegistry: 'three' }],
            gateways: [{ address: '192.0.2.3', port: 31443 }],
          },
        },
      );
    });
  });
});

test('an address of gateways between networks where there is one network is refused, wherever it is declared', () => {
  withProject({}, (root) => {
    const gateways: Gateways = { eastWest: { type: 'LoadBalancer', sources: ['10.0.0.0/8'] } };
    const what =
      'every cluster is on network vpc, so that there is no gateway between networks; fix: remove it';
    expect(problemsOf(meshOn(root, { one: 'vpc', two: 'vpc' }, gateways))).toEqual([
      `demo: clusters.one.gateways.eastWest: ${what}`,
      `demo: clusters.two.gateways.eastWest: ${what}`,
    ]);
    const at = { network: 'vpc', region: 'r', zone: 'z' };
    const mesh = new Mesh('demo', {
      ...{ root, trustDomain: 'demo.example', clusters: { one: at }, platform: lab, gateways },
    });
    expect(problemsOf(mesh)).toEqual([`demo: gateways.eastWest: ${what}`]);
  });
});
