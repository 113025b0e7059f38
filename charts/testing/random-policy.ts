import type { DescService } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Level } from '@bufbuild/protobuf/wkt';
import fc from 'fast-check';
import type { GrpcService } from '../constructs/workload/grpc-service.ts';
import type { Method } from '../constructs/scope/method.ts';
import { isBase, matchKey } from '../constructs/traffic/effective.ts';
import type { Fault, Metadata, TrafficRule } from '../constructs/traffic/props.ts';
import { TrafficPolicy } from '../constructs/traffic/traffic-policy.ts';

export type AnyService = GrpcService<DescService, string, string>;

/** Calls by what metadata they carry; some match what others match, too. */
export const metadataPool: readonly Metadata[] = [
  { 'x-user': { exact: 'ada' } },
  { 'x-user': { prefix: 'a' } },
  { 'x-user': { regex: 'a.*' } },
  { 'x-user': { exact: 'ada' }, 'x-trial': { exact: '1' } },
];

const anyFault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({
    status: fc.constantFrom('UNAVAILABLE', 'NOT_FOUND'),
    percent: fc.integer({ min: 1, max: 100 }),
  }),
  fc.record({ delayMs: fc.integer({ min: 1, max: 5000 }), percent: fc.constant(0.5) }),
);

const optional = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });

const anyRule = fc.record({
  method: optional(fc.nat()),
  metadata: optional(fc.constantFrom(...metadataPool)),
  to: optional(fc.nat()),
  timeoutMs: optional(fc.integer({ min: 1, max: 3_600_000 })),
  attempts: optional(fc.integer({ min: 1, max: 10 })),
  fault: optional(anyFault),
  mirror: optional(fc.nat()),
});

/** A policy as plain data. Numbers without a limit pick from what the service has. */
export const anyPolicy = fc.record({
  clusters: fc.constantFrom('default', 'failover', 'distribution'),
  // Where each region, or cluster, goes.
  to: fc.array(fc.nat(), { minLength: 4, maxLength: 4 }),
  shares: optional(fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 3, maxLength: 3 })),
  rules: fc.array(anyRule, { maxLength: 5 }),
  connections: optional(fc.record({ maxRequests: fc.integer({ min: 1, max: 1000 }) })),
  outliers: optional(fc.record({ maxEjectionPercent: fc.integer({ min: 1, max: 100 }) })),
});

/** One of a list, whatever the number. */
export function pick<T>(list: readonly T[], number: number): T {
  const [picked] = list.slice(number % list.length);
  if (picked === undefined) throw new Error('there is nothing to pick from');
  return picked;
}

type DrawnPolicy = typeof anyPolicy extends fc.Arbitrary<infer T> ? T : never;

/** Declares a drawn policy: as much of it as is right for the service. */
export function declarePolicy(service: AnyService, drawn: DrawnPolicy): void {
  const weights = drawn.shares === undefined ? undefined : weightsOf(service, drawn.shares);
  const failover = drawn.clusters === 'failover' ? failoverOf(service, drawn.to) : undefined;
  const distribution = drawn.clusters === 'distribution' ? distributionOf(service, drawn.to) : undefined;
  const { connections, outliers } = drawn;
  new TrafficPolicy(service, 'traffic', {
    rules: rulesOf(service, drawn.rules, weights),
    ...(weights === undefined ? {} : { weights }),
    ...(failover === undefined ? {} : { failover }),
    ...(distribution === undefined ? {} : { distribution }),
    ...(connections === undefined ? {} : { connections }),
    ...(outliers === undefined ? {} : { outliers }),
  });
}

/** The first version, which always runs, gets what is left. */
function weightsOf(service: AnyService, shares: readonly number[]): Record<string, number> {
  const { versions, runningVersions: running } = service;
  let left = 100;
  const others = versions.slice(1).map((version, index): [string, number] => {
    const share = running.includes(version) ? Math.min(left, shares[index] ?? 0) : 0;
    left -= share;
    return [version, share];
  });
  return Object.fromEntries([[pick(versions, 0), left], ...others]);
}

/** Every cluster of a region has the same preference, and none its own region. */
function failoverOf({ mesh, clusters }: AnyService, to: readonly number[]): Record<string, string[]> {
  const regions = [...new Set(mesh.clusters.map(({ region }) => region))];
  return Object.fromEntries(
    mesh.clusters.flatMap(({ name, region, zone }) => {
      const away = mesh.clusters.filter((other) => other.region !== region && clusters.includes(other.name));
      const chosen = away[(to[regions.indexOf(region)] ?? 0) % Math.max(1, away.length)];
      if (chosen === undefined) return [];
      const placed = mesh.clusters.filter((other) => other.name !== name && clusters.includes(other.name));
      const inRegion = (wanted: string) => placed.filter((other) => other.region === wanted);
      // Those of its own zone get its calls in any case.
      const near = inRegion(region).filter((other) => other.zone !== zone);
      return [[name, [...near, ...inRegion(chosen.region)].map((other) => other.name)]];
    }),
  );
}

/**
 * None where two clusters are in one zone, which Istio cannot tell apart. Each cluster keeps a share for itself, and
 * every version is somewhere among those that get one.
 */
function distributionOf({ mesh, clusters, versions }: AnyService, to: readonly number[]) {
  const places = new Set(mesh.clusters.map(({ region, zone }) => `${region}/${zone}`));
  if (places.size < mesh.clusters.length) return undefined;
  return Object.fromEntries(
    mesh.clusters.map(({ name }, index) => {
      const first = clusters.includes(name) ? name : pick(clusters, to[index] ?? 0);
      const others = clusters.filter((other) => other !== first);
      const chosen = versions.length > 1 ? others : others.slice(0, (to[index] ?? 0) % 2);
      const shares = [first, ...chosen].map((other) => [other, 10]);
      return [name, { ...Object.fromEntries(shares), [first]: 100 - 10 * chosen.length }];
    }),
  );
}

function rulesOf(
  service: AnyService,
  drawn: DrawnPolicy['rules'],
  weights: Readonly<Record<string, number>> | undefined,
): TrafficRule<string, string>[] {
  const { methods, versions, runningVersions: running } = service;
  const all = Object.entries(weights ?? {}).find(([, share]) => share === 100)?.[0];
  const only = all ?? (versions.length === 1 ? versions[0] : undefined);
  const canPick = weights !== undefined || versions.length === 1;
  const said = new Set<string>();
  const once = (key: string) => !said.has(key) && said.add(key).has(key);
  const rules = drawn.flatMap((rule) => {
    const method = rule.method === undefined ? undefined : pick(methods, rule.method);
    const { metadata } = rule;
    if (method === undefined && metadata === undefined) return [];
    const of = method?.descriptor.name ?? '';
    if (metadata !== undefined && !once(`${of} ${matchKey(metadata)}`)) return [];
    // Rules of a method without metadata add up: each key is said once.
    const may = (key: string) => metadata !== undefined || once(`${of} ${key}`);
    const picked = rule.to === undefined ? undefined : pick(running, rule.to);
    const to = canPick && picked !== undefined && may('to') ? picked : undefined;
    const fault = rule.fault !== undefined && may('fault') ? rule.fault : undefined;
    const action = { ...(to === undefined ? {} : { to }), ...(fault === undefined ? {} : { fault }) };
    const unary = method?.kind === 'unary' ? unaryActions(method, rule, may) : {};
    const copy = rule.mirror === undefined ? undefined : pick(running, rule.mirror);
    const mirrored =
      method?.kind === 'unary' &&
      method.descriptor.idempotency === Level.NO_SIDE_EFFECTS &&
      canPick &&
      copy !== undefined &&
      copy !== (to ?? only) &&
      may('mirror')
        ? { mirror: { to: copy } }
        : {};
    const does = { ...action, ...unary, ...mirrored };
    if (Object.keys(does).length === 0) return [];
    return [
      {
        ...(method === undefined ? {} : { method }),
        ...(metadata === undefined ? {} : { metadata }),
        ...does,
      } as TrafficRule<string, string>,
    ];
  });
  return rules.flatMap((rule) => retriedOrFaulty(rule, rules));
}

/** Calls have either a fault or retries. */
function retriedOrFaulty<R extends TrafficRule<string, string>>(rule: R, rules: readonly R[]): readonly R[] {
  const faulty = [rule, ...rules.filter((other) => other.method === rule.method && isBase(other))];
  if (rule.retries === undefined || faulty.every(({ fault }) => fault === undefined)) return [rule];
  const others = Object.fromEntries(Object.entries(rule).filter(([key]) => key !== 'retries'));
  const isLeft = Object.keys(others).some((key) => key !== 'method' && key !== 'metadata');
  return isLeft ? [others as unknown as R] : [];
}

function unaryActions(
  { descriptor }: Method,
  { timeoutMs, attempts }: DrawnPolicy['rules'][number],
  may: (key: string) => boolean,
) {
  const repeatable = descriptor.idempotency !== Level.IDEMPOTENCY_UNKNOWN;
  return {
    ...(timeoutMs !== undefined && may('timeoutMs') ? { timeoutMs } : {}),
    ...(attempts !== undefined && repeatable && may('retries') ? { retries: { attempts } } : {}),
  };
}
