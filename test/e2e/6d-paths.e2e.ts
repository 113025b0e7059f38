import { beforeAll, describe, expect, test } from '@jest/globals';
import { echoIn } from './calls/echo.ts';
import { ask, askUntil, bearer, burst, inOrder, readAddress, token, type Answer } from './calls/edge.ts';
import { edgeMesh, members } from './meshes/edge-mesh.ts';
import { ensureLab } from './checkout/lab.ts';
import { applyVariant } from './checkout/variant.ts';

const minute = 60_000;
const clusters = ['east', 'west'] as const;

beforeAll(async () => {
  await ensureLab();
  // Many spellings lead to a list: a limit would hide who answers it.
  await applyVariant(edgeMesh({ perSecond: 10_000, burst: 10_000 }), { change: echoIn('shop') });
  for (const cluster of clusters) {
    readAddress(cluster);
    await askUntil(cluster, '/v1/products/p-1', 200, {}, 8);
    await askUntil(cluster, '/v1/products/p-1', 200, { host: members, headers: bearer(token()) }, 8);
  }
}, 60 * minute);

const slashes = ['/', '//', '/./', '%2f', '%2F', '%5c', '%5C', '\\', '%252f', '%255c', '%c0%af', ';/'];
const ups = [
  '..',
  '%2e%2e',
  '%2E.',
  '.%2e',
  '..;',
  '..;a=b',
  '%2e%2e;',
  '..%00',
  '%252e%252e',
  '%c0%ae%c0%ae',
];
const tails = [
  ';a=b',
  '%3Ba=b',
  '%00',
  '%20',
  '%09',
  '%0a',
  '.',
  '%2e',
  '#',
  '?',
  '?a=/../b',
  '%3f',
  '%23',
  ':',
  '~',
];
const hex = (text: string) => `%${text.charCodeAt(0).toString(16)}`;

/**
 * A path in other spellings, each of which some server or proxy takes for the path itself.
 * Sources: RFC 3986, section 6.2;
 * https://istio.io/latest/docs/ops/best-practices/security/#understand-path-normalization-in-authorization-policies
 */
function spellings(path: string): readonly string[] {
  const [, first = '', ...rest] = path.split('/');
  const last = rest.join('/');
  return [
    path,
    ...slashes.flatMap((slash) => [
      `${slash}${first}/${last}`,
      `/${first}${slash}${last}`,
      `${path}${slash}`,
    ]),
    `/${first}/${hex(last)}${last.slice(1)}`,
    `/${first}/%25${hex(last).slice(1)}${last.slice(1)}`,
    `/${hex(first)}${first.slice(1)}/${last}`,
    path.toUpperCase(),
    `/${first.toUpperCase()}/${last}`,
    ...tails.map((tail) => `${path}${tail}`),
  ];
}

/** The same by way of a path that is open: what a policy finds open has to be what the gateway serves. */
function detours(path: string): readonly string[] {
  const [, first = '', last = ''] = path.split('/');
  const open = `/${first}/products`;
  return ups.flatMap((up) =>
    slashes.flatMap((slash) => [
      `${open}/${up}${slash}${last}`,
      `${open}${slash}${up}/${last}`,
      `${open}/p-1/${up}/${up}${slash}${last}`,
      `${open}%3f${up}${slash}${last}`,
    ]),
  );
}

/** The answers to many paths, some at a time. */
async function askEach(cluster: string, paths: readonly string[], options = {}) {
  const answers: (Answer & { readonly path: string })[] = [];
  for (let at = 0; at < paths.length; at += 20) {
    const some = paths.slice(at, at + 20);
    const got = await Promise.all(some.map((path) => ask(cluster, path, options)));
    answers.push(...got.map((answer, index) => ({ ...answer, path: some[index]! })));
  }
  return answers;
}

const refused = [400, 403, 404];
const said = ({ path, status, body }: Answer & { readonly path: string }) =>
  `${path}: ${status} ${body.slice(0, 80)}`;

describe.each(clusters)('a path at the ingress gateway of %s', (cluster) => {
  // Of another edge, and a stream that this one does not expose.
  test.each(['/v1/orders', '/v1/prices:watch'])('%s stays closed in every spelling', async (path) => {
    const absolute = [`http://anything.example${path}`, `http://anything.example//${path}`];
    const own = await askEach(cluster, [...spellings(path), ...absolute]);
    expect(own.filter(({ status }) => !refused.includes(status)).map(said)).toEqual([]);
    // A variable may hold such a text: then it is a product that was asked for.
    const others = (await askEach(cluster, detours(path))).filter(({ status, headers }) => {
      const served = String(headers['x-served-by']);
      const isProduct = served.includes('/catalog-') && headers['content-type'] === 'application/json';
      return !refused.includes(status) && !(status === 200 && isProduct);
    });
    expect(others.map(said)).toEqual([]);
  });

  test('what asks for a token asks for it in every spelling', async () => {
    for (const path of ['/v1/orders', '/v1/products/p-1']) {
      const answers = await askEach(cluster, spellings(path), { host: members });
      expect(answers.filter(({ status }) => !refused.includes(status)).map(said)).toEqual([]);
    }
    const others = await askEach(cluster, detours('/v1/orders'), { host: members });
    // What has a token counts towards a limit: 429 would mean that none was asked for.
    const ofOrders = others.filter(
      ({ status, headers }) => status === 429 || String(headers['x-served-by']).includes('/orders-'),
    );
    expect(ofOrders.map(said)).toEqual([]);
  });

  test.each([
    ['/v1/products/p-1', 200],
    // One path to the policy, the route and the gateway.
    ['//v1///products//p-1', 200],
    ['/v1/./products/p-1', 200],
    ['/v1/prices:watch/../products/p-1', 200],
    ['/v1\\products\\p-1', 200],
    ['/v1/%70roducts/p-1', 200],
    // One segment to all three, which the gateway decodes as a variable's text.
    ['/v1/products/a%2Fb', 200],
    ['/v1/products/..%2Forders', 200],
    ['/v1/products/a%5Cb', 200],
    ['/v1/products/p-1;a=b', 200],
    ['/v1/products/%252e%252e', 200],
    // What Envoy makes a step up of when it looks again, as the proxy before the HTTP gateway does.
    ['/v1/products/%2e%2e;', 403],
    ['/v1/products/%2e;a=b', 403],
    ['/v1/prices/%2e%2e;/products/p-1', 403],
    // None of what is let in.
    ['/v1/products/p-1/', 403],
    ['/v1/products/..;/orders', 403],
    ['/v1%2Fproducts/p-1', 403],
    ['/V1/products/p-1', 403],
    ['/v1/products/p-1%2f../../../orders', 403],
  ])('%s gets %i', async (path, expected) => {
    const answer = await ask(cluster, path);
    expect({ path, status: answer.status }).toEqual({ path, status: expected });
    if (expected === 200) expect(answer.headers['x-served-by']).toMatch(/\/catalog-/);
  });
});

describe.each(clusters)('HEAD at the ingress gateway of %s', (cluster) => {
  const head = (path: string, options = {}) => ask(cluster, path, { ...options, method: 'HEAD' });

  test('is answered as GET is, without the body', async () => {
    const told = ({ status: code, headers }: Answer) => ({
      code,
      type: headers['content-type'],
      length: headers['content-length'],
    });
    const got = await ask(cluster, '/v1/products/p-1');
    const asked = await head('/v1/products/p-1');
    expect(got.body).toBe('{}');
    expect({ ...told(asked), body: asked.body }).toEqual({ ...told(got), body: '' });
  });

  test('asks for what GET asks for: the method, its token, its limit', async () => {
    expect(await head('/v1/orders')).toMatchObject({ status: 403 });
    expect(await head('/v1/prices:watch')).toMatchObject({ status: 403 });
    expect(await head('/v1/products/p-1', { host: members })).toMatchObject({ status: 403 });
    expect(await head('/v1/products/p-1', { host: members, headers: bearer(token()) })).toMatchObject({
      status: 200,
    });
    const answers = await burst(20, () => head('/v1/orders', { host: members, headers: bearer(token()) }));
    expect(new Set(inOrder(answers))).toEqual(new Set([200, 429]));
  });
});
