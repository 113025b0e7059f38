import { expect, test } from '@jest/globals';
import { services } from '../../config/services.ts';
import { openUpstreams, parseUpstreams } from './upstreams.ts';

const catalog = services.get('shop.catalog.v1.CatalogService')!;
const orders = services.get('shop.orders.v1.OrdersService')!;

test('reads services and their addresses', () => {
  const text = 'shop.catalog.v1.CatalogService=127.0.0.1:50051, shop.orders.v1.OrdersService=orders:1';
  expect([...parseUpstreams(text, services)]).toEqual([
    [catalog, '127.0.0.1:50051'],
    [orders, 'orders:1'],
  ]);
});

test('names every wrong entry', () => {
  const text = [
    'shop.catalog.v1.CatalogService=a:1',
    'shop.catalog.v1.CatalogService=b:1',
    'shop.catalog.v1.Catalogue=a:1',
    'shop.orders.v1.OrdersService',
    'shop.orders.v1.OrdersService=orders',
    'a=b=c',
  ].join(',');
  const known = [...services.keys()].join(', ');
  expect(() => parseUpstreams(text, services)).toThrow(
    [
      'environment: UPSTREAMS: "shop.catalog.v1.CatalogService=b:1": this service is listed twice',
      `environment: UPSTREAMS: "shop.catalog.v1.Catalogue=a:1": no such service; allowed ${known}`,
      'environment: UPSTREAMS: "shop.orders.v1.OrdersService": allowed <service>=<host:port>',
      'environment: UPSTREAMS: "shop.orders.v1.OrdersService=orders": the address is not host:port',
      'environment: UPSTREAMS: "a=b=c": allowed <service>=<host:port>',
    ].join('\n'),
  );
});

test('services of one address share a transport', () => {
  const upstreams = openUpstreams(
    new Map([
      [catalog, 'a:1'],
      [orders, 'a:1'],
    ]),
  );
  expect(upstreams.transportOf(catalog)).toBe(upstreams.transportOf(orders));
  expect(() => upstreams.transportOf(services.get('shop.inventory.v1.InventoryService')!)).toThrow(
    'shop.inventory.v1.InventoryService has no upstream',
  );
  upstreams.close();
});
