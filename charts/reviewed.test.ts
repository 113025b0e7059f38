import { describe, expect, test } from '@jest/globals';
import { CatalogService } from '../gen/test/catalog/v1/catalog_pb.js';
import { ExternalService } from './constructs/access/external-service.ts';
import { Mesh } from './constructs/mesh.ts';
import { GrpcService } from './constructs/workload/grpc-service.ts';
import { declare } from './declare.ts';
import { hole } from './holes.ts';
import { lab } from './platforms.ts';
import { synthesize } from './synth.ts';
import { keptProject } from './testing/project.ts';

const root = keptProject();
const zone = { region: 'r', zone: 'z' };
/** What is said of the mesh with these values in its holes; nothing where it is rendered. */
function saidOf(values: Readonly<Record<string, string>>): string {
  const declaration = declare({
    environments: {
      prod: { east: hole('east'), west: hole('west'), bank: hole('bank') },
    },
    mesh: ({ values: { east, west, bank } }) => {
      const clusters = { east: { ...zone, network: east }, west: { ...zone, zone: 'y', network: west } };
      const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', platform: lab, clusters });
      const shop = mesh.namespace('shop');
      const catalog = new GrpcService(shop, 'catalog', { app: 'apps/catalog', service: CatalogService });
      const host = { host: bank, port: 443, protocol: 'TLS' } as const;
      if (bank !== 'none.example') catalog.callsExternal(new ExternalService(shop, 'bank', host));
      if (bank === 'twice.example')
        catalog.callsExternal(new ExternalService(shop, 'more', { ...host, host: `more.${bank}` }));
      return mesh;
    },
  });
  const filled = { where: 'Pulumi.prod.yaml', values };
  try {
    synthesize(declaration.mesh({ root, environment: 'prod', filled }));
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
const fix =
  'fix: decide which objects there are by values that dist/ is rendered with: a hole is for a host or a URL that stands in them';
const gone = (cluster: string, received: string) =>
  `environment prod: cluster ${cluster}: objects of dist/ are not applied once the holes are filled; received "${received}"; ${fix}`;
const made = (cluster: string, received: string) =>
  `environment prod: cluster ${cluster}: objects that are not in dist/ are applied once the holes are filled; received "${received}"; ${fix}`;

describe('a value of a hole', () => {
  test('may stand in objects, whatever it is', () => {
    expect(saidOf({ east: 'a', west: 'b', bank: 'bank.example' })).toBe('');
  });

  test('that takes objects away is refused, as those of gateways between networks that are one then', () => {
    const objects =
      'Namespace istio-eastwest, AuthorizationPolicy istio-eastwest/cross-network-gateway and 6 more';
    expect(saidOf({ east: 'a', west: 'a', bank: 'bank.example' }).split('\n')).toEqual(
      ['east', 'west'].map((cluster) => gone(cluster, objects)),
    );
  });

  test('that a declaration takes objects away by is refused, with their names', () => {
    expect(saidOf({ east: 'a', west: 'b', bank: 'none.example' }).split('\n')).toEqual(
      ['east', 'west'].map((cluster) => gone(cluster, 'ServiceEntry shop/bank')),
    );
  });

  test('that a declaration makes objects by is refused, with their names', () => {
    expect(saidOf({ east: 'a', west: 'b', bank: 'twice.example' }).split('\n')).toEqual(
      ['east', 'west'].map((cluster) => made(cluster, 'ServiceEntry shop/more')),
    );
  });
});
