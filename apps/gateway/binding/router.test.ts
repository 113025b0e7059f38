import { expect, test } from '@jest/globals';
import { anyMethod } from '../../../http-rule/pattern.ts';
import { parseTemplate } from '../../../http-rule/template.ts';
import { Router } from './router.ts';

function routerWith(...routes: readonly string[]): Router<string> {
  const router = new Router<string>();
  for (const route of routes) {
    const [method = '', template = ''] = route.split(' ');
    router.add(method, parseTemplate(template), route);
  }
  return router;
}

const target = (router: Router<string>, method: string, path: string) => {
  const found = router.find(method, path);
  return found.kind === 'route' ? found.target : found;
};

test('the more literal template wins, whatever the order of adding', () => {
  const routes = [
    'GET /v1/{a=**}',
    'GET /v1/{a}/x',
    'GET /v1/b/{c}',
    'GET /v1/b/x',
    'GET /v1/b/x:do',
    'GET /v1/{a}',
  ];
  for (const router of [routerWith(...routes), routerWith(...routes.toReversed())]) {
    expect(target(router, 'GET', '/v1/b/x')).toBe('GET /v1/b/x');
    expect(target(router, 'GET', '/v1/b/y')).toBe('GET /v1/b/{c}');
    expect(target(router, 'GET', '/v1/z/x')).toBe('GET /v1/{a}/x');
    expect(target(router, 'GET', '/v1/z')).toBe('GET /v1/{a}');
    expect(target(router, 'GET', '/v1/z/z/z')).toBe('GET /v1/{a=**}');
    expect(target(router, 'GET', '/v1/b/x:do')).toBe('GET /v1/b/x:do');
    expect(target(router, 'GET', '/v1/b/x:other')).toBe('GET /v1/b/{c}');
  }
});

test('goes back to a less literal one when the more literal does not end well', () => {
  const router = routerWith('GET /a/b/c', 'GET /a/{x}/d', 'POST /a/b/d');
  expect(target(router, 'GET', '/a/b/d')).toBe('GET /a/{x}/d');
});

test('tells a wrong method from an unknown path', () => {
  const router = routerWith('GET /a', 'PUT /a', 'DELETE /a/{x}', 'PATCH /a/b');
  expect(target(router, 'POST', '/a')).toEqual({ kind: 'method', allowed: ['GET', 'PUT'] });
  expect(target(router, 'POST', '/a/b')).toEqual({ kind: 'method', allowed: ['DELETE', 'PATCH'] });
  expect(target(router, 'GET', '/b')).toEqual({ kind: 'none' });
});

test('a custom pattern for any method gives way to one for this method', () => {
  const router = routerWith(`${anyMethod} /a`, 'GET /a');
  expect(target(router, 'GET', '/a')).toBe('GET /a');
  expect(target(router, 'PURGE', '/a')).toBe('* /a');
});

test('refuses two routes that match the same', () => {
  expect(() => routerWith('GET /a/{x}', 'GET /a/{y=*}')).toThrow(
    'another route has this method and an equal path',
  );
});
