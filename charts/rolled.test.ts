import { expect, test } from '@jest/globals';
import { k8s } from 'cdk8s-plus-28';
import { OrdersService } from '../gen/test/orders/v1/orders_pb.js';
import { MeshConstruct, type Mesh } from './constructs/scope/mesh-construct.ts';
import type { PodConfig } from '../apps/config/pod/pod.ts';
import type { Projection } from './constructs/scope/projection.ts';
import { GrpcService } from './constructs/workload/grpc-service.ts';
import { synthesize } from './synth.ts';
import { image, podOf } from './testing/foreign.ts';
import { twoClusters } from './testing/mesh.ts';
import { withProject } from './testing/project.ts';

type Two = Mesh<'east' | 'west'>;

/** A ConfigMap of a construct of one's own, with another content in each cluster where it is told so. */
class Settings extends MeshConstruct<'east' | 'west'> {
  readonly mesh: Two;
  readonly #level: (cluster: string) => string;

  constructor(mesh: Two, level: (cluster: string) => string) {
    super(mesh, 'settings');
    this.mesh = mesh;
    this.#level = level;
  }

  override project(into: Projection): void {
    const differs = { because: 'levels differ', paths: [['data', 'level']] };
    const data = { level: this.#level(into.cluster.name) };
    into.add('40-services', k8s.KubeConfigMap, { name: 'settings', namespace: 'shop', differs }, { data });
  }
}

/** The hash that pods of a service have which reads it, in each cluster. */
function hashes(level: (cluster: string) => string, props: object): readonly (string | undefined)[] {
  return withProject({}, (root) => {
    const mesh = twoClusters(root);
    const shop = mesh.namespace('shop');
    new Settings(mesh, level);
    new GrpcService(shop, 'cart', { image, service: OrdersService, port: 7070, ...props });
    const rendered = synthesize(mesh);
    return ['east', 'west'].map(
      (cluster) => podOf(rendered, 'cart', cluster).metadata.annotations['checksum/config'],
    );
  });
}

const volume = (source: NonNullable<PodConfig['volumes']>[string]) => ({
  pod: { volumes: { settings: source }, mounts: { '/etc/settings': 'settings' } },
});

test.each<[string, object]>([
  ['a variable', { env: { LEVEL: { configMap: 'settings', key: 'level' } } }],
  ['a volume', volume({ configMap: { name: 'settings' } })],
  ['a part of a volume', volume({ projected: [{ configMap: { name: 'settings' } }] })],
])('a changed ConfigMap of the declaration makes new pods of those that read it by %s', (_, props) => {
  const [east, west] = hashes(() => 'info', props);
  expect(east).toMatch(/^[0-9a-f]{12}$/);
  expect(west).toBe(east);
  expect(hashes(() => 'info', props)).toEqual([east, west]);
  const [changed, same] = hashes((cluster) => (cluster === 'east' ? 'debug' : 'info'), props);
  expect(same).toBe(west);
  expect(changed).not.toBe(east);
});

test('and of no others', () => {
  expect(hashes(() => 'info', {})).toEqual([undefined, undefined]);
  expect(hashes(() => 'info', { env: { LEVEL: { configMap: 'of-others', key: 'level' } } })).toEqual([
    undefined,
    undefined,
  ]);
});
