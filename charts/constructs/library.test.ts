import { describe, expect, test } from '@jest/globals';
import * as constructs from '../index.ts';
import { isOfLibrary } from './library.ts';
import { MeshConstruct } from './scope/mesh-construct.ts';
import { HttpService } from './web/http-service.ts';

/** An instance of each, without its constructor having run: what it renders is asked of its class. */
const rendering = Object.entries(constructs).flatMap(([name, value]) =>
  typeof value === 'function' && value.prototype instanceof MeshConstruct
    ? [[name, Object.create(value.prototype) as MeshConstruct] as const]
    : [],
);

test('every construct that the library gives is known as its own, but for the one that renders what somebody else says', () => {
  const known = rendering.filter(([, one]) => isOfLibrary(one)).map(([name]) => name);
  expect(known).toContain('HttpService');
  expect(rendering.map(([name]) => name).filter((name) => !known.includes(name))).toEqual(['OwnObject']);
});

describe('a class of one’s own', () => {
  const made = (one: { prototype: unknown }) => Object.create(one.prototype as object) as MeshConstruct;

  test('that gives its base other properties renders what that does', () => {
    class Plain extends HttpService<string> {}
    class Plainer extends Plain {}
    expect([Plain, Plainer].map((one) => isOfLibrary(made(one)))).toEqual([true, true]);
  });

  test('that overrides anything renders what it likes, and so does an instance', () => {
    class Other extends HttpService<string> {
      override toString() {
        return 'other';
      }
    }
    class Below extends Other {}
    const patched = Object.assign(made(HttpService), { project: () => undefined });
    expect([made(Other), made(Below), patched].map(isOfLibrary)).toEqual([false, false, false]);
  });
});
