import fc from 'fast-check';
import type { ClusterStatus, MeshStatus } from '../../../infra/status/mesh-status.ts';

const name = fc.stringMatching(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/);
/** DNS names: fast-check's own take ten times as long to make. */
export const dnsName = fc.array(name, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'));
const text = fc.array(fc.stringMatching(/^[!-~]{1,100}$/), { maxLength: 6 }).map((words) => words.join(' '));
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const time = maybe(fc.constant('2031-01-01T00:00:00.000Z'));
const count = fc.nat({ max: 2 });

/** Addresses of load balancers: IPv4, IPv6 or DNS names, by any port. */
const authority = fc
  .tuple(
    fc.oneof(
      fc.ipV4(),
      fc.ipV6().map((ip) => `[${ip}]`),
      dnsName,
    ),
    fc.constantFrom(80, 30080),
  )
  .map(([host, port]) => `${host}:${port}`);

const remote = fc.record({
  tokenNotAfter: time,
  istiod: fc.constantFrom('synced', 'syncing', 'timeout', 'closed', 'unknown'),
  problem: maybe(text),
  warning: maybe(text),
  listsSecrets: maybe(fc.constantFrom('all', 'namespace', 'none')),
});

const cluster: fc.Arbitrary<ClusterStatus> = fc.record({
  context: fc.oneof(
    name,
    fc.constant(`arn:aws:eks:us-east-1:123456789012:cluster/${'production'.repeat(9)}`),
  ),
  ready: fc.boolean(),
  ingress: maybe(authority.map((each) => `http://${each}`)),
  eastWest: maybe(authority),
  nodes: count,
  certificateNotAfter: time,
  trust: maybe(
    fc.record({
      state: text,
      rootNotAfter: fc.constant('2031-01-01T00:00:00.000Z'),
      warning: maybe(text),
      keyInSecret: fc.boolean(),
    }),
  ),
  controlPlanes: fc.array(fc.record({ revision: name, ready: fc.boolean(), proxies: fc.nat() }), {
    maxLength: 3,
  }),
  remotes: fc.dictionary(name, remote, { maxKeys: 3 }),
});

/** Any status at all: healthy or not, with names of any length. */
export const anyStatus: fc.Arbitrary<MeshStatus> = fc.record({
  engine: fc.constantFrom('apply', 'pulumi'),
  clusters: fc.dictionary(name, cluster, { minKeys: 1, maxKeys: 4 }),
  services: fc.dictionary(
    name,
    fc.dictionary(name, fc.record({ desired: count, ready: count }), { maxKeys: 4 }),
    { maxKeys: 5 },
  ),
  rollouts: fc.array(
    fc.record({
      cluster: name,
      object: name.map((each) => `Deployment shop/${each}`),
      missing: text,
      because: maybe(text),
    }),
    { maxLength: 2 },
  ),
  runs: fc.array(
    fc.record({
      cluster: name,
      object: name.map((each) => `Job shop/${each}`),
      state: fc.constantFrom('complete', 'failed', 'running', 'missing', 'waiting', 'suspended'),
      because: maybe(text),
      succeeded: time,
      failed: time,
    }),
    { maxLength: 2 },
  ),
  unfinishedUp: maybe(
    fc.record({
      since: fc.constant('2031-01-01T00:00:00.000Z'),
      problems: maybe(fc.array(text, { maxLength: 2 })),
    }),
  ),
  crossCluster: fc.record({ ok: fc.boolean(), checked: fc.constant('2031-01-01T00:00:00.000Z') }),
});

/** The lines of more than 80 columns, but for those of one URL or path that is longer by itself. */
export function tooLong(output: string): readonly string[] {
  return output.split('\n').filter((line) => line.length > 80 && !/^ *\S*\/\S*( \\)?$/.test(line));
}
