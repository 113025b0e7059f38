import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import ts from 'typescript';
import { formatProblem } from '../core/problem.ts';
import { namesOf } from './names.ts';
import type { ServiceNames } from './names.ts';
import { serviceFiles } from './templates.ts';

function sound(name: string): ServiceNames {
  const names = namesOf(name, 'shop');
  if ('camel' in names) return names;
  throw new Error(formatProblem(names));
}

test('a name in each notation', () => {
  expect(sound('gift-cards')).toEqual({
    name: 'gift-cards',
    protoPackage: 'shop',
    snake: 'gift_cards',
    camel: 'giftCards',
    pascal: 'GiftCards',
    typeName: 'shop.gift_cards.v1.GiftCardsService',
    one: {
      kebab: 'gift-card',
      snake: 'gift_card',
      camel: 'giftCard',
      pascal: 'GiftCard',
      words: 'gift card',
    },
    many: {
      kebab: 'gift-cards',
      snake: 'gift_cards',
      camel: 'giftCards',
      pascal: 'GiftCards',
      words: 'gift cards',
    },
  });
});

test.each([
  ['reviews', 'review', 'reviews'],
  ['review', 'review', 'reviews'],
  ['deliveries', 'delivery', 'deliveries'],
  ['delivery', 'delivery', 'deliveries'],
  ['addresses', 'address', 'addresses'],
  ['address', 'address', 'addresses'],
  ['tax', 'tax', 'taxes'],
  ['keys', 'key', 'keys'],
  ['status', 'status', 'statuses'],
  ['s', 's', 'ses'],
  ['classes', 'class', 'classes'],
])('%s keeps one %s, many %s', (name, one, many) => {
  expect([sound(name).one.kebab, sound(name).many.kebab]).toEqual([one, many]);
});

describe('refuses', () => {
  const rule =
    'words of a-z and 0-9 joined by single hyphens, starting with a letter, at most 40 characters, such as gift-cards';

  test.each(['', 'Gift', '-gift', 'gift-', 'gift--cards', '7up', 'gift_cards', 'a'.repeat(41), '../x', 'é'])(
    '%j, which is no name',
    (name) => {
      const received = JSON.stringify(name);
      const message = `npm run new: is not a valid service name; received ${received}; allowed ${rule}`;
      expect(formatProblem(namesOf(name, 'shop') as never)).toBe(message);
    },
  );

  test.each(['istio-proxy', 'http-gateway'])('D2: %s, which another container is called', (name) => {
    expect(formatProblem(namesOf(name, 'shop') as never)).toBe(
      'npm run new: is the name of a container that Istio or the HTTP gateway has in every pod; ' +
        `received "${name}"; fix: choose another name`,
    );
  });

  test.each([
    ['product-reviews-service', 'ProductReviewsServiceService', 'run `npm run new -- product-reviews`'],
    ['reviews-service-service', 'ReviewsServiceServiceService', 'run `npm run new -- reviews`'],
    ['service', 'ServiceService', 'choose another name'],
    ['service-service', 'ServiceServiceService', 'choose another name'],
  ])('%s, which ends in service', (name, proto, fix) => {
    expect(formatProblem(namesOf(name, 'shop') as never)).toBe(
      `npm run new: ends in "service": its proto service would be called ${proto}; received "${name}"; fix: ${fix}`,
    );
  });

  test('no name that only has the word in it', () => {
    for (const name of ['services', 'service-plans', 'microservice']) expect(sound(name).name).toBe(name);
  });

  test.each([
    ['class', 'class'],
    ['await', 'await'],
    ['let', 'let'],
    ['google', 'google'],
    ['constructors', 'constructor'],
    ['to-string', 'toString'],
  ])('%s, because of %s', (name, word) => {
    expect(formatProblem(namesOf(name, 'shop') as never)).toBe(
      `npm run new: ${word} is a reserved word in TypeScript or protobuf; received "${name}"; ` +
        'fix: choose another name',
    );
  });
});

/** Names as people and machines think them up: valid ones by far the most. */
const anyName = fc.oneof(
  fc.stringMatching(/^[a-z][a-z0-9]{0,7}(-[a-z0-9]{1,6}){0,3}$/),
  fc.constantFrom(
    'class',
    'new',
    'google',
    'constructors',
    'package',
    'messages',
    'string',
    'objects',
    'promises',
    'reviews-service',
    'service',
  ),
);

test('any name that is accepted gives valid identifiers, a valid proto package, and TypeScript that parses', () => {
  fc.assert(
    fc.property(anyName, (name) => {
      const names = namesOf(name, 'shop');
      if (!('camel' in names)) return;
      const { snake, camel, pascal, typeName, one, many } = names;
      // buf: PACKAGE_LOWER_SNAKE_CASE, PACKAGE_VERSION_SUFFIX, SERVICE_PASCAL_CASE, SERVICE_SUFFIX.
      expect(typeName).toMatch(/^shop\.[a-z][a-z0-9]*(_[a-z0-9]+)*\.v1\.[A-Z][A-Za-z0-9]*Service$/);
      expect(typeName).not.toMatch(/ServiceService$/);
      expect(snake.replaceAll('_', '-')).toBe(name);
      expect([camel.toLowerCase(), pascal.toLowerCase()]).toEqual(Array(2).fill(name.replaceAll('-', '')));
      expect(one.kebab).not.toBe(many.kebab);
      for (const { path, text } of [...serviceFiles(names, 'source'), ...serviceFiles(names, 'package')]) {
        if (!path.endsWith('.ts')) continue;
        const { diagnostics } = ts.transpileModule(`const ${camel} = 1;\n${text}`, {
          reportDiagnostics: true,
        });
        expect(diagnostics?.map(({ messageText }) => messageText)).toEqual([]);
      }
    }),
    { numRuns: 100 },
  );
});
