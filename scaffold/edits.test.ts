import { describe, expect, test } from '@jest/globals';
import { declareService } from './edits.ts';
import { namesOf } from './names.ts';
import type { ServiceNames } from './names.ts';

const names = namesOf('gift-cards', 'shop') as ServiceNames;

const shop = `
import { CatalogService } from './gen/shop/catalog/v1/catalog_pb.js';
import { OrdersService } from './gen/shop/orders/v1/orders_pb.js';

export default declare({
  environments: { lab: { platform: lab } },
  mesh: ({ root, values }) => {
    const back = mesh.namespace('back');
    const catalog = new GrpcService(back, 'catalog', { app: 'apps/catalog', service: CatalogService });
    // The way in.
    new HttpEdge(namespace, 'edge', { expose: [catalog] });
  },
});
`;

describe('mesh.ts', () => {
  test('gets the import in its place, the construct before the edge, and what it serves exposed', () => {
    expect(declareService(shop, names)).toBe(`
import { CatalogService } from './gen/shop/catalog/v1/catalog_pb.js';
import { GiftCardsService } from './gen/shop/gift_cards/v1/gift_cards_pb.js';
import { OrdersService } from './gen/shop/orders/v1/orders_pb.js';

export default declare({
  environments: { lab: { platform: lab } },
  mesh: ({ root, values }) => {
    const back = mesh.namespace('back');
    const catalog = new GrpcService(back, 'catalog', { app: 'apps/catalog', service: CatalogService });

    const giftCards = new GrpcService(back, 'gift-cards', { app: 'apps/gift-cards', service: GiftCardsService });
    // The way in.
    new HttpEdge(namespace, 'edge', { expose: [catalog, giftCards] });
  },
});
`);
  });

  test('exposes methods where the others are methods', () => {
    const methods = shop.replace('[catalog]', '[catalog.method.getProduct]');
    expect(declareService(methods, names)).toContain(
      'expose: [catalog.method.getProduct, giftCards.method.getGiftCard, giftCards.method.listGiftCards]',
    );
  });

  test('is left as it is when all is there already', () => {
    const once = declareService(shop, names);
    expect(declareService(once, names)).toBe(once);
  });

  test.each([
    [
      'no service',
      shop.replace('new GrpcService', 'newService'),
      "mesh.ts: the service cannot be added: the file has no `const NAME = new GrpcService(...)` to declare it after; fix: add const giftCards = new GrpcService(namespace, 'gift-cards', { app: 'apps/gift-cards', service: GiftCardsService }); by hand, then run the command again",
    ],
    [
      'no edge',
      shop.replace('expose', 'serve'),
      'mesh.ts: the service cannot be added: the file has no single list `expose: [...]` after the services; fix: add giftCards by hand, then run the command again',
    ],
    [
      'no import',
      shop.replaceAll('./gen/shop', './made'),
      "mesh.ts: the service cannot be added: the file has no import from ./gen/shop/; fix: add import { GiftCardsService } from './gen/shop/gift_cards/v1/gift_cards_pb.js'; by hand, then run the command again",
    ],
    [
      'a constant of the name',
      shop.replace('const back =', 'const giftCards = 1;\n  const back ='),
      'mesh.ts: already uses the name; received "giftCards"; fix: choose another name',
    ],
    [
      'a construct of the name',
      shop.replace("'edge'", "'gift-cards'"),
      'mesh.ts: already uses the name; received "gift-cards"; fix: choose another name',
    ],
    [
      'an import of the name of its service',
      `import { GiftCardsService } from './other.ts';${shop}`,
      'mesh.ts: already uses the name; received "GiftCardsService"; fix: choose another name',
    ],
  ])('with %s is refused', (_, source, message) => {
    expect(() => declareService(source, names)).toThrow(new Error(message));
  });
});
