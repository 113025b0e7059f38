import { describe, expect, test } from '@jest/globals';
import { InventoryService } from '../../../gen/test/inventory/v1/inventory_pb.js';
import { synthesize } from '../../synth.ts';
import { expectGolden } from '../../testing/golden.ts';
import { frontIn, redisImage } from '../../testing/foreign.ts';
import { catalogIn, objectOf, objectsOf, problemsOf, twoClusters } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { TcpService } from '../tcp/tcp-service.ts';
import { GrpcService } from './grpc-service.ts';
import { MutualTls, type MutualTlsMode, type ServiceMutualTlsProps } from './mutual-tls.ts';

test('the narrowest one holds: a namespace, a service in it, and a port of that by its number', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    const shop = mesh.namespace('shop');
    const catalog = catalogIn(shop);
    new MutualTls(shop, 'mutual-tls', { mode: 'PERMISSIVE' });
    new MutualTls(catalog, 'mutual-tls', { mode: 'STRICT', ports: { http: 'PERMISSIVE' } });
    const rendered = synthesize(mesh);
    for (const cluster of ['east', 'west']) {
      expect(objectOf(rendered, cluster, 'PeerAuthentication', 'catalog-mutual-tls')?.['spec']).toEqual({
        selector: { matchLabels: { 'app.kubernetes.io/name': 'catalog' } },
        mtls: { mode: 'STRICT' },
        portLevelMtls: { '8081': { mode: 'PERMISSIVE' } },
      });
    }
    expectGolden(
      import.meta.url,
      'mutual-tls',
      objectsOf(rendered, 'west', 'shop').filter(({ kind }) => kind === 'PeerAuthentication'),
    );
  });
});

test('which ports proofs may expect to refuse plaintext goes by those of the pods, told by those of the Service', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    const shop = mesh.namespace('shop');
    const stock = (name: string, ports: ServiceMutualTlsProps['ports']) => {
      const said = { image: 'registry.example/stock:1.4.0', port: 7070, servicePort: 80 };
      const service = new GrpcService(shop, name, { ...said, service: InventoryService });
      new MutualTls(service, 'mutual-tls', { mode: 'STRICT', ...(ports && { ports }) });
    };
    stock('open', { grpc: 'PERMISSIVE' });
    stock('closed', undefined);
    new MutualTls(catalogIn(shop), 'mutual-tls', { mode: 'STRICT', ports: { http: 'PERMISSIVE' } });
    new MutualTls(frontIn(shop, { servicePort: 80 }), 'mutual-tls', { mode: 'PERMISSIVE' });
    const ports = { redis: 6379, metrics: { port: 9121, servicePort: 9000 } };
    const redis = new TcpService(shop, 'redis', { image: redisImage, ports });
    new MutualTls(redis, 'mutual-tls', { mode: 'STRICT', ports: { metrics: 'PERMISSIVE' } });
    expect(mesh.model().workloads.map(({ name, plaintext }) => [name, plaintext])).toEqual([
      ['open', [80]],
      ['closed', undefined],
      ['catalog', [8081]],
      ['front', [80]],
      ['redis', [9000]],
    ]);
  });
});

describe('problems', () => {
  const problems = (props: Record<string, unknown>) =>
    withProject({}, (root) => {
      const mesh = twoClusters(root);
      new MutualTls(catalogIn(mesh.namespace('shop')), 'mtls', props as unknown as ServiceMutualTlsProps);
      return problemsOf(mesh);
    });

  test.each<[string, Record<string, unknown>, string]>([
    [
      'DISABLE',
      { mode: 'DISABLE' },
      'mode: is not a mode of mutual TLS; received "DISABLE"; allowed STRICT, PERMISSIVE; ' +
        'fix: use PERMISSIVE, which accepts plaintext and still identifies callers in the mesh',
    ],
    [
      'a misspelled mode',
      { mode: 'STRICKT' },
      'mode: is not a mode of mutual TLS; received "STRICKT"; allowed STRICT, PERMISSIVE; fix: did you mean STRICT?',
    ],
    ['no mode', {}, 'mode: is not a mode of mutual TLS; received nothing; allowed STRICT, PERMISSIVE'],
    [
      'a wrong mode of a port',
      { mode: 'STRICT', ports: { grpc: 'OFF' } },
      'ports.grpc: is not a mode of mutual TLS; received "OFF"; allowed STRICT, PERMISSIVE',
    ],
    [
      'a port it does not have',
      { mode: 'STRICT', ports: { htpp: 'STRICT' } },
      'ports.htpp: demo/shop/catalog has no such port; received "htpp"; allowed grpc, http, 50051, 8081; fix: did you mean http?',
    ],
    [
      'a port twice',
      { mode: 'STRICT', ports: { http: 'STRICT', 8081: 'PERMISSIVE' } },
      'ports.http: is the same port as 8081; received "http"; fix: keep one',
    ],
  ])('%s', (_, props, message) => {
    expect(problems(props)).toEqual([`demo/shop/catalog/mtls: ${message}`]);
  });

  test('two of one service, and ports of a namespace', () => {
    withProject({}, (root) => {
      const mesh = twoClusters(root);
      const shop = mesh.namespace('shop');
      const strict: { mode: MutualTlsMode } = { mode: 'STRICT' };
      const inventory = new GrpcService(shop, 'inventory', {
        app: 'apps/inventory',
        service: InventoryService,
      });
      new MutualTls(inventory, 'a', strict);
      new MutualTls(inventory, 'b', strict);
      new MutualTls(shop, 'ports', { ...strict, ports: { grpc: 'STRICT' } } as typeof strict);
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/inventory/b: demo/shop/inventory already has one, and Istio would apply only the older; received "b"; fix: keep one',
        'demo/shop/ports: ports: ports apply only to a service: Istio ignores them for a namespace; received {"grpc":"STRICT"}; fix: declare it on the service',
      ]);
    });
  });
});
