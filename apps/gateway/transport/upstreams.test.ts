import { expect, test } from '@jest/globals';
import { services } from '../../testing/shop.ts';
import { openUpstreams, readUpstreams } from './upstreams.ts';

const catalog = services.get('shop.catalog.v1.CatalogService')!;
const orders = services.get('shop.orders.v1.OrdersService')!;

test('reads services and their addresses', () => {
  const text = 'shop.catalog.v1.CatalogService=127.0.0.1:50051, shop.orders.v1.OrdersService=orders:1';
  const { addresses, problems } = readUpstreams(text, services);
  expect(problems).toEqual([]);
  expect([...addresses]).toEqual([
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
  expect(readUpstreams(text, services).problems).toEqual([
    'UPSTREAMS: "shop.catalog.v1.CatalogService=b:1": this service is listed twice',
    `UPSTREAMS: "shop.catalog.v1.Catalogue=a:1": DESCRIPTORS has no such service; allowed ${known}`,
    'UPSTREAMS: "shop.orders.v1.OrdersService": allowed <service>=<host:port>',
    'UPSTREAMS: "shop.orders.v1.OrdersService=orders": the address is not host:port',
    'UPSTREAMS: "a=b=c": allowed <service>=<host:port>',
  ]);
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
