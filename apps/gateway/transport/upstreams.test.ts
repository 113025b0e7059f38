import { expect, test } from '@jest/globals';
import { services } from '../../testing/shop.ts';
import { openUpstreams, readUpstreams } from './upstreams.ts';

const catalog = services.get('test.catalog.v1.CatalogService')!;
const orders = services.get('test.orders.v1.OrdersService')!;

test('reads services and their addresses', () => {
  const text = 'test.catalog.v1.CatalogService=127.0.0.1:50051, test.orders.v1.OrdersService=orders:1';
  const { addresses, problems } = readUpstreams(text, services);
  expect(problems).toEqual([]);
  expect([...addresses]).toEqual([
    [catalog, '127.0.0.1:50051'],
    [orders, 'orders:1'],
  ]);
});

test('names every wrong entry', () => {
  const text = [
    'test.catalog.v1.CatalogService=a:1',
    'test.catalog.v1.CatalogService=b:1',
    'test.catalog.v1.Catalogue=a:1',
    'test.orders.v1.OrdersService',
    'test.orders.v1.OrdersService=orders',
    'a=b=c',
  ].join(',');
  const known = [...services.keys()].join(', ');
  expect(readUpstreams(text, services).problems).toEqual([
    'UPSTREAMS: "test.catalog.v1.CatalogService=b:1": this service is listed twice',
    `UPSTREAMS: "test.catalog.v1.Catalogue=a:1": DESCRIPTORS has no such service; allowed ${known}`,
    'UPSTREAMS: "test.orders.v1.OrdersService": allowed <service>=<host:port>',
    'UPSTREAMS: "test.orders.v1.OrdersService=orders": the address is not host:port',
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
  expect(() => upstreams.transportOf(services.get('test.inventory.v1.InventoryService')!)).toThrow(
    'test.inventory.v1.InventoryService has no upstream',
  );
  upstreams.close();
});
