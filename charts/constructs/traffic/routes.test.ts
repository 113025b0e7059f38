import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { InventoryService } from '../../../gen/test/inventory/v1/inventory_pb.js';
import { synthesize } from '../../synth.ts';
import { objectOf, twoClusters } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { GrpcService } from '../workload/grpc-service.ts';
import { matchKey } from './effective.ts';
import type { MetadataMatch, TrafficRule } from './props.ts';
import { TrafficPolicy } from './traffic-policy.ts';

type Versions = 'v1' | 'v2' | 'v3';
const names = ['getStock', 'reserve', 'importStock', 'syncStock'] as const;
const streams = ['importStock', 'syncStock'];

const version = fc.constantFrom<Versions>('v1', 'v2', 'v3');
const value: fc.Arbitrary<MetadataMatch> = fc.oneof(
  fc.constantFrom('a', 'ab', 'abc').map((exact) => ({ exact })),
  fc.constantFrom('a', 'ab', 'abc').map((prefix) => ({ prefix })),
  fc.constantFrom('a.*', '[ab]+').map((regex) => ({ regex })),
);
const metadata = fc.dictionary(fc.constantFrom('x-a', 'x-b', 'x-c'), value, {
  minKeys: 1,
  noNullPrototype: true,
});
const fault = fc.constantFrom(
  { status: 'ABORTED', percent: 5 } as const,
  { delayMs: 10, percent: 50 } as const,
);

const drawn = fc.record({
  // Whole percents, and hundredths of one.
  weights: fc.constantFrom(1, 100).chain((parts) =>
    fc
      .tuple(fc.integer({ min: 0, max: 100 * parts }), fc.integer({ min: 0, max: 100 * parts }))
      .map(([a, b]) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        return { v1: low / parts, v2: (high - low) / parts, v3: (100 * parts - high) / parts };
      }),
  ),
  // At most one rule of a method without metadata, and of those with metadata one for each match.
  bases: fc.uniqueArray(
    fc.record({ name: fc.constantFrom(...names), timeoutMs: fc.integer({ min: 1, max: 9000 }), to: version }),
    { selector: ({ name }) => name },
  ),
  special: fc.uniqueArray(
    fc.record({ name: fc.option(fc.constantFrom(...names)), metadata, fault: fc.option(fault), to: version }),
    { maxLength: 8, selector: (rule) => `${rule.name ?? ''} ${matchKey(rule.metadata)}` },
  ),
  order: fc.array(fc.nat(), { minLength: 12, maxLength: 12 }),
});

interface Http {
  readonly name: string;
  readonly match?: readonly {
    readonly uri?: { readonly exact: string };
    readonly headers?: Readonly<Record<string, MetadataMatch>>;
  }[];
  readonly route: readonly { readonly destination: { readonly subset: string }; readonly weight?: number }[];
  readonly timeout?: string;
  readonly retries?: { readonly attempts: number };
}

/** Whether every value that `narrow` lets through is let through by `wide`; expressions are equal or unknown. */
function within(narrow: MetadataMatch, wide: MetadataMatch): boolean {
  if (matchKey({ it: narrow }) === matchKey({ it: wide })) return true;
  if (!('prefix' in wide)) return false;
  const begin = 'exact' in narrow ? narrow.exact : 'prefix' in narrow ? narrow.prefix : '';
  return begin.startsWith(wide.prefix);
}

test('any valid policy: every rule is reached, every call has a route, shares add up, and streams are left alone', () => {
  withProject({}, (root) => {
    fc.assert(
      fc.property(drawn, ({ weights, bases, special, order }) => {
        const mesh = twoClusters(root);
        const service = new GrpcService(mesh.namespace('shop'), 'inventory', {
          app: 'apps/inventory',
          service: InventoryService,
          versions: { v1: {}, v2: {}, v3: {} },
        });
        const { method } = service;
        const rules: TrafficRule<'east' | 'west', Versions>[] = [
          ...bases.map(({ name, timeoutMs, to }) =>
            name === 'getStock' || name === 'reserve'
              ? { method: method[name], timeoutMs, retries: { attempts: 1 }, to }
              : { method: method[name], to },
          ),
          ...special.map(({ name, metadata: match, fault: one, to }) => ({
            ...(name === null ? {} : { method: method[name] }),
            metadata: match,
            to,
            ...(one === null ? {} : { fault: one }),
          })),
        ];
        const shuffled = rules
          .map((rule, index) => ({ rule, at: order[index] ?? 0 }))
          .sort((a, b) => a.at - b.at)
          .map(({ rule }) => rule);
        new TrafficPolicy(service, 'traffic', { weights, rules: shuffled });
        const rendered = synthesize(mesh);
        const specOf = (kind: string, cluster = 'east') =>
          objectOf(rendered, cluster, kind, 'inventory')?.['spec'];
        const { http } = specOf('VirtualService') as { http: readonly Http[] };
        expect(specOf('VirtualService', 'west')).toEqual(specOf('VirtualService'));

        // The last route takes what is left, and no other one takes everything.
        expect(http.at(-1)?.match).toBeUndefined();
        expect(http.slice(0, -1).every(({ match }) => (match?.length ?? 0) > 0)).toBe(true);

        const { subsets } = specOf('DestinationRule') as { subsets: readonly { name: string }[] };
        const known = subsets.map(({ name }) => name);
        for (const { route } of http) {
          for (const { destination } of route) expect(known).toContain(destination.subset);
          const parts = Object.values(weights).every(Number.isInteger) ? 100 : 10_000;
          const total = route.reduce((sum, { weight = parts }) => sum + weight, 0);
          expect(total).toBe(parts);
          if (route.length === 1) continue;
          const shares = route.map(({ destination, weight = 0 }) => [
            destination.subset,
            weight / (parts / 100),
          ]);
          expect(Object.fromEntries(shares)).toEqual(weights);
          expect(route.every(({ weight }) => Number.isInteger(weight))).toBe(true);
        }

        // No route is taken whole by one before it.
        const flat = http.flatMap(({ match = [{}] }, index) => match.map((one) => ({ ...one, index })));
        for (const [index, later] of flat.entries()) {
          for (const earlier of flat.slice(0, index)) {
            const sameMethod = earlier.uri === undefined || earlier.uri.exact === later.uri?.exact;
            const takes = Object.entries(earlier.headers ?? {}).every(([name, wide]) => {
              const narrow = later.headers?.[name];
              return narrow !== undefined && within(narrow, wide);
            });
            expect([earlier.index, later.index, sameMethod && takes]).toEqual([
              earlier.index,
              later.index,
              false,
            ]);
          }
        }

        // Every rule has a route of its own, under the name of where it stands.
        const routeNames = http.map(({ name }) => name);
        shuffled.forEach((rule, index) => {
          const own = rule.metadata === undefined ? rule.method?.descriptor.localName : `rules[${index}]`;
          expect(routeNames.some((name) => name === own || name.endsWith(` ${own ?? ''}`))).toBe(true);
        });

        // Streams: every route that names one is without a timeout, and is not tried again; each has such a route.
        const paths = new Map(
          service.methods.map(({ descriptor }) => [descriptor.name, descriptor.localName]),
        );
        const streamed = new Set<string>();
        for (const { match = [], timeout, retries } of http) {
          for (const { uri } of match) {
            const name = paths.get(uri?.exact.split('/').at(-1) ?? '') ?? '';
            if (!streams.includes(name)) continue;
            streamed.add(name);
            expect([timeout, retries]).toEqual([undefined, { attempts: 0 }]);
          }
        }
        expect([...streamed].sort()).toEqual(streams);
      }),
      { numRuns: 60 },
    );
  });
});
