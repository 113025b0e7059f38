import { expect, test } from '@jest/globals';
import { OrdersService } from '../../../gen/test/orders/v1/orders_pb.js';
import { synthesize } from '../../synth.ts';
import { expectGolden } from '../../testing/golden.ts';
import { catalogIn, objectOf, problemsOf, twoClusters } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { GrpcService } from '../workload/grpc-service.ts';
import { ServiceLimits, type ServiceLimitsProps } from './service-limits.ts';

test('the proxies of a service limit its methods, for each caller by its identity, in every cluster alike', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    const catalog = catalogIn(mesh.namespace('shop'), { placement: ['east'] });
    new ServiceLimits(catalog, 'limits', {
      rateLimits: [
        { method: catalog.method.getProduct, perSecond: 100, burst: 200, by: 'client' },
        { perSecond: 1_000, by: 'all' },
      ],
    });
    const rendered = synthesize(mesh);
    const filter = objectOf(rendered, 'east', 'EnvoyFilter', 'catalog.limits');
    expect(objectOf(rendered, 'west', 'EnvoyFilter', 'catalog.limits')).toEqual(filter);
    expect(filter).toMatchObject({
      metadata: { namespace: 'shop' },
      spec: {
        workloadSelector: { labels: { 'app.kubernetes.io/name': 'catalog' } },
        configPatches: [
          {
            match: { context: 'SIDECAR_INBOUND', listener: { portNumber: 50051 } },
            patch: {
              operation: 'INSERT_BEFORE',
              value: {
                typed_config: {
                  rate_limited_as_resource_exhausted: true,
                  descriptors: [
                    {
                      entries: [
                        { key: 'limit', value: 'test.catalog.v1.CatalogService/GetProduct by client' },
                        { key: 'identity' },
                      ],
                      token_bucket: { max_tokens: 200, tokens_per_fill: 100, fill_interval: '1s' },
                    },
                    { entries: [{ key: 'limit', value: 'all by all' }] },
                  ],
                },
              },
            },
          },
        ],
      },
    });
    expectGolden(import.meta.url, 'service-limits', [filter!]);
  });
});

test('a rate is by the second, the minute or the hour, with all of it at once unless a burst is said', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    const catalog = catalogIn(mesh.namespace('shop'));
    const { getProduct, listProducts, watchPrices } = catalog.method;
    new ServiceLimits(catalog, 'limits', {
      rateLimits: [
        { method: getProduct, perSecond: 5, by: 'client' },
        { method: listProducts, perMinute: 30, by: 'client' },
        { method: watchPrices, perHour: 100, burst: 10, by: 'client' },
      ],
    });
    const bucket = (max_tokens: number, tokens_per_fill: number, fill_interval: string) =>
      expect.objectContaining({ token_bucket: { max_tokens, tokens_per_fill, fill_interval } }) as unknown;
    const value = {
      typed_config: { descriptors: [bucket(5, 5, '1s'), bucket(30, 30, '60s'), bucket(10, 100, '3600s')] },
    };
    expect(objectOf(synthesize(mesh), 'east', 'EnvoyFilter', 'catalog.limits')).toMatchObject({
      spec: { configPatches: [{ patch: { value } }] },
    });
  });
});

test('problems', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    const shop = mesh.namespace('shop');
    const catalog = catalogIn(shop);
    const orders = new GrpcService(shop, 'orders', { app: 'apps/orders', service: OrdersService });
    const limits = (id: string, rateLimits: unknown) =>
      new ServiceLimits(catalog, id, { rateLimits } as ServiceLimitsProps<'east' | 'west'>);
    limits('limits', [
      { method: orders.method.getOrder, perSecond: 1.5, by: 'caller' },
      undefined,
      { method: 'x' },
      { perMinute: 30, perHour: 100, by: 'all' },
      { perHour: 0, by: 'client' },
      { method: catalog.method.getProduct, perMinute: 30, burst: 0, by: 'client' },
    ]);
    limits('more', []);
    limits('most', { perSecond: 1 });
    const rate = 'allowed a whole number from 1 to 1000000000';
    const again = 'the service already has limits: demo/shop/catalog/limits; fix: declare all of them there';
    expect(problemsOf(mesh)).toEqual([
      'demo/shop/catalog/limits: rateLimits[0].by: is not a way to count calls; received "caller"; allowed client, method',
      `demo/shop/catalog/limits: rateLimits[0].perSecond: is not a rate; received 1.5; ${rate}`,
      'demo/shop/catalog/limits: rateLimits[1].by: is not a way to count calls; received nothing; allowed client, all',
      `demo/shop/catalog/limits: rateLimits[1].perSecond: is not a rate; received nothing; ${rate}`,
      'demo/shop/catalog/limits: rateLimits[2].by: is not a way to count calls; received nothing; allowed client, method',
      `demo/shop/catalog/limits: rateLimits[2].perSecond: is not a rate; received nothing; ${rate}`,
      'demo/shop/catalog/limits: rateLimits[3]: has more than one rate; received "perMinute, perHour"; allowed one of them',
      `demo/shop/catalog/limits: rateLimits[4].perHour: is not a rate; received 0; ${rate}`,
      'demo/shop/catalog/limits: rateLimits[5].burst: is not a burst size; received 0; allowed a whole number from 1 to 1000000000',
      'demo/shop/catalog/limits: rateLimits[0].method: is not a method of demo/shop/catalog; ' +
        'received "test.orders.v1.OrdersService/GetOrder"; allowed getProduct, listProducts, watchPrices',
      'demo/shop/catalog/limits: rateLimits[2].method: is not a method of a declared service; received "x"; ' +
        'allowed SERVICE.method.NAME',
      'demo/shop/catalog/more: rateLimits: is empty; received []; fix: add one, or remove the construct',
      `demo/shop/catalog/more: ${again}`,
      'demo/shop/catalog/most: rateLimits: is not a list; received {"perSecond":1}',
    ]);
  });
});
