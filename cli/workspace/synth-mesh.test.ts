import { describe, expect, test } from '@jest/globals';
import { Mesh } from '../../charts/constructs/mesh.ts';
import { declare } from '../../charts/declare.ts';
import { lab, released } from '../../charts/platforms.ts';
import { synthAll } from './synth-mesh.ts';

const zone = { network: 'n', region: 'r', zone: 'z' };
const east = { east: zone };
const registry = { imageHub: 'registry.example/shop', istioTag: '1.29.2' };

/** A mesh without a service in three environments, of which the last is what a case says. */
const declaration = (third: object, trustDomain = 'demo.example') =>
  declare({
    environments: {
      lab: { platform: lab },
      staging: { platform: lab },
      prod: third as { platform: typeof lab },
    },
    mesh: ({ root, values: { platform, ...rest } }) =>
      new Mesh('demo', { root, trustDomain, platform, clusters: east, ...rest }),
  });

test('every environment is rendered by its own values, in the order declared', () => {
  const { dist } = synthAll(declaration({ platform: released(registry) }), '.');
  expect([...dist.keys()]).toEqual(['lab', 'staging', 'prod']);
  const tags = [...dist.values()].map((rendered) =>
    ['1.31-dev', '1.29.2'].filter((tag) => rendered.some(({ yaml }) => yaml.includes(tag))),
  );
  expect(tags).toEqual([['1.31-dev'], ['1.31-dev'], ['1.29.2']]);
});

describe('problems are told all at once', () => {
  const unnamed = /\n?demo: trustDomain: .*a\.\.b.*/;
  const messageOf = (...declared: Parameters<typeof declaration>): string => {
    try {
      synthAll(declaration(...declared), '.');
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  };

  test('once where every environment has them', () => {
    const message = messageOf({ platform: lab }, 'a..b');
    expect(message).toMatch(unnamed);
    expect(message.split('\n')).toHaveLength(1);
  });

  test('with the environments where only some have them', () => {
    const wrong = { platform: { ...lab, gateway: { ...lab.gateway, replicas: 0 } } };
    const lines = messageOf(wrong, 'a..b').split('\n');
    expect(lines).toEqual([
      expect.stringMatching(unnamed),
      'environment prod: demo: platform.gateway.replicas: is not a number of pods; received 0; allowed a whole number from 1 to 1000',
    ]);
  });

  test('with each that has them', () => {
    const twice = declare({
      environments: { lab: { domain: 'lab.example' }, staging: { domain: 'a..b' }, prod: { domain: 'a..b' } },
      mesh: ({ root, values: { domain } }) =>
        new Mesh('demo', { root, trustDomain: domain, platform: lab, clusters: east }),
    });
    expect(() => synthAll(twice, '.')).toThrow(/^environments staging, prod: demo: trustDomain: [^\n]+$/);
  });

  test('but for what is no problem of a declaration', () => {
    const broken = declare({
      environments: { lab: {} },
      mesh: (): Mesh<string> => {
        throw new TypeError('a fault');
      },
    });
    expect(() => synthAll(broken, '.')).toThrow(new TypeError('a fault'));
  });
});
