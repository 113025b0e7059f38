import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { imageAt, imageProblem, parseImageReference, type ImageReference } from './image-reference.ts';

const digest = `sha256:${'0a'.repeat(32)}`;
const of = (letters: string, least = 1, most = 12) =>
  fc.string({ unit: fc.constantFrom(...letters.split(/(?:)/)), minLength: least, maxLength: most });
const lower = 'abcdefghijklmnopqrstuvwxyz0123456789';
const component = fc
  .tuple(of(lower), fc.option(fc.tuple(fc.constantFrom('.', '_', '__', '-', '---'), of(lower))))
  .map(([first, more]) => [first, ...(more ?? [])].join(''));
const host = fc
  .tuple(
    fc.array(of(`${lower}ABC`), { minLength: 1, maxLength: 3 }),
    fc.option(fc.integer({ min: 1, max: 65_535 })),
  )
  .map(([labels, port]) => `${labels.join('.')}${port === null ? '' : `:${port}`}`)
  .filter((name) => /[.:A-Z]/.test(name));
/** A first part that can be a host name is one, so a path without a registry cannot begin with it. */
const parts = fc
  .record({
    registry: fc.option(fc.oneof(host, fc.constant('localhost'), fc.constant('[fd00::1]:5000')), {
      nil: undefined,
    }),
    path: fc.array(component, { minLength: 1, maxLength: 3 }).map((each) => each.join('/')),
    tag: fc.option(
      fc.tuple(of(`${lower}_`, 1, 1), of(`${lower}ABC._-`, 0, 127)).map((each) => each.join('')),
      { nil: undefined },
    ),
    digest: fc.option(
      of('0123456789abcdef', 64, 64).map((hex) => `sha256:${hex}`),
      { nil: undefined },
    ),
  })
  .filter(({ registry, path }) => registry !== undefined || !/^(?:[^/]*\.[^/]*|localhost)\//.test(path));

/** As people write it. */
function written({
  registry,
  path,
  tag,
  digest: pinned,
}: Partial<ImageReference> & { path: string }): string {
  const name = registry === undefined ? path : `${registry}/${path}`;
  return `${name}${tag === undefined ? '' : `:${tag}`}${pinned === undefined ? '' : `@${pinned}`}`;
}

test('what is written of parts is read as these parts, however long it may be', () => {
  fc.assert(
    fc.property(parts, (given) => {
      const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
      expect(parseImageReference(written(given as ImageReference))).toEqual(known);
    }),
  );
});

test('any text is a reference that reads the same again when it is written anew, or none', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), of('aA0/:@._-[]', 0, 30)), (text) => {
      const read = parseImageReference(text);
      expect(read === undefined ? text : written(read)).toBe(text);
    }),
  );
});

test.each<[string, ImageReference]>([
  ['cart:1.4.0', { path: 'cart', tag: '1.4.0' }],
  ['shop/cart', { path: 'shop/cart' }],
  ['registry.example/shop/cart:1.4.0', { registry: 'registry.example', path: 'shop/cart', tag: '1.4.0' }],
  ['localhost/cart', { registry: 'localhost', path: 'cart' }],
  ['h:5000/cart', { registry: 'h:5000', path: 'cart' }],
  ['h:5000', { path: 'h', tag: '5000' }],
  ['Host/cart', { registry: 'Host', path: 'cart' }],
  [`a__b/c---d@${digest}`, { path: 'a__b/c---d', digest }],
  [
    `registry.hole.invalid/cart:1.4.0@${digest}`,
    { registry: 'registry.hole.invalid', path: 'cart', tag: '1.4.0', digest },
  ],
])('%s', (text, expected) => {
  expect(parseImageReference(text)).toEqual(expected);
});

test.each([
  [
    '',
    'Cart',
    'cart:',
    'cart@',
    ':1',
    '/cart',
    'cart/',
    'a//b',
    'a b',
    'cart:a b',
    'cart:.1',
    '-h.example/cart',
  ],
  [
    'h-/cart:1',
    'https://h.example/cart',
    `cart@${digest.slice(0, -1)}`,
    `cart@${digest}0`,
    `cart@sha512:${'a'.repeat(128)}`,
  ],
  [
    'a___b',
    'a..b',
    '_a',
    'a_',
    `cart:${'a'.repeat(129)}`,
    'a/'.repeat(128) + 'a',
    '[fd00::1/cart',
    'h..example/cart',
  ],
  [7, null, undefined, {}],
])('no reference: %j', (...texts) => {
  expect(texts.filter((text) => parseImageReference(text) !== undefined)).toEqual([]);
});

test('what pods may run for good has a digest, or a tag that is never moved', () => {
  for (const image of [
    'cart:1.4.0',
    'cart:20260301',
    `cart@${digest}`,
    `cart:latest@${digest}`,
    'h:5000/cart:v1.2.3-rc.1',
  ])
    expect(imageProblem(image)).toBeUndefined();
  expect(imageProblem('cart')).toBe('the image has no tag');
  expect(imageProblem('h:5000/cart')).toBe('the image has no tag');
  for (const tag of ['latest', 'main', '1', '1.4', 'v2'])
    expect(imageProblem(`cart:${tag}`)).toBe(`the tag ${tag} may be moved to another image`);
  expect(imageProblem('a b:1')).toBe('is not an image reference');
});

test('without a registry an image is under the hub', () => {
  expect(imageAt('registry.example/shop', 'cart:1.4.0')).toBe('registry.example/shop/cart:1.4.0');
  expect(imageAt('registry.example/shop', 'team/cart:1.4.0')).toBe('registry.example/shop/team/cart:1.4.0');
  expect(imageAt('registry.example/shop', 'ghcr.io/team/cart:1.4.0')).toBe('ghcr.io/team/cart:1.4.0');
});
