import { expect, test } from '@jest/globals';
import * as constructs from '../index.ts';
import { isOfLibrary } from './library.ts';
import { MeshConstruct } from './scope/mesh-construct.ts';

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
