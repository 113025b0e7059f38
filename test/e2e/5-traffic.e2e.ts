import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { waitFor } from '../../core/wait.ts';
import { callMany, callOnce, eventually, status, type Answer, type Call } from './calls/call.ts';
import { echoIn } from './calls/echo.ts';
import { ensureLab, kubectl } from './checkout/lab.ts';
import { trafficMesh } from './meshes/traffic-mesh.ts';
import { applyVariant } from './checkout/variant.ts';

const minute = 60_000;
jest.setTimeout(5 * minute);

const getStock = '/shop.inventory.v1.InventoryService/GetStock';
const reserve = '/shop.inventory.v1.InventoryService/Reserve';
const syncStock = '/shop.inventory.v1.InventoryService/SyncStock';

let runs = 0;
/** A key no earlier call has used, also of an earlier run of this suite. */
const fresh = () => `${Date.now()}-${runs++}`;

beforeAll(async () => {
  await ensureLab();
  await applyVariant(trafficMesh(), { change: echoIn('shop') });
  for (const cluster of ['east', 'west']) {
    // The last of the policies has reached the proxy, and all the services are known to it.
    for (const service of ['rules', 'shared', 'failing', 'far-east', 'far-west']) {
      const calls = { count: 8, connections: 8 };
      await eventually(`${service} from ${cluster}`, status.ok, () => many(cluster, service, reserve, calls));
    }
  }
}, 60 * minute);

function from(cluster: string) {
  return { cluster, namespace: 'shop', target: 'deployment/caller', container: 'inventory' };
}

type Rest = Omit<Call, 'address' | 'path'>;

function once(cluster: string, service: string, path: string, metadata: Rest['metadata'] = {}): Answer {
  return callOnce(from(cluster), { address: `${service}.shop.svc.cluster.local:50051`, path, metadata });
}

function many(cluster: string, service: string, path: string, call: Rest): readonly Answer[] {
  return callMany(from(cluster), { address: `${service}.shop.svc.cluster.local:50051`, path, ...call });
}

/** `cluster/version`, from a pod's name: `rules-v2-5d8f7c6b9d-abcde`. */
function versionOf({ servedBy }: Answer): string {
  return /^(\w+)\/\w+-(v\d)-/.exec(servedBy)?.slice(1).join('/') ?? servedBy;
}

/**
 * Asserts that a share of n calls is as declared: within 5.5 standard deviations of the binomial distribution, which is
 * missed by chance less than once in a million runs for every n and share used here.
 */
function expectShare(hits: number, n: number, share: number): void {
  const bound = 5.5 * Math.sqrt(n * share * (1 - share));
  expect(Math.abs(hits - n * share)).toBeLessThan(bound);
}

describe.each([
  ['east', 'west'],
  ['west', 'east'],
])('calls made in the %s', (here, there) => {
  test('a call that takes longer than its timeout ends then', () => {
    const slow = once(here, 'rules', getStock, { 'x-version': 'two', 'x-delay-ms': '9000' });
    // The proxy beside the server knows the limit from `grpc-timeout`, and may be first to see that it has passed.
    expect([status.unavailable, status.deadlineExceeded]).toContain(slow.status);
    expect(slow.ms).toBeGreaterThanOrEqual(2900);
    expect(slow.ms).toBeLessThan(9000);
  });

  test('a stream has no timeout', () => {
    const metadata = { 'x-version': 'two', 'x-delay-ms': '1000', 'x-messages': '4' };
    const long = once(here, 'rules', syncStock, metadata);
    expect(long).toMatchObject({ status: status.ok, bytes: 20 });
    expect(long.ms).toBeGreaterThan(3000);
  });

  test('a call that may be repeated is tried again as often as its rule says', () => {
    const twice = once(here, 'rules', getStock, { 'x-version': 'two', 'x-fail-first': `${fresh()}:2` });
    expect(twice).toMatchObject({ status: status.ok, headers: { 'x-attempt': '3' } });
    const thrice = once(here, 'rules', getStock, { 'x-version': 'two', 'x-fail-first': `${fresh()}:3` });
    expect(thrice).toMatchObject({ status: status.unavailable, headers: { 'x-attempt': '3' } });
  });

  test('neither a stream nor a method without a rule is tried again', () => {
    for (const path of [syncStock, reserve]) {
      const metadata = { 'x-version': 'two', 'x-fail-first': `${fresh()}:1` };
      const first = once(here, 'rules', path, metadata);
      expect(first).toMatchObject({ status: status.unavailable, headers: { 'x-attempt': '1' } });
    }
  });

  test('versions get their weights', () => {
    const n = 400;
    const seen = many(here, 'rules', getStock, { count: n, concurrency: 8 }).map(versionOf);
    const canary = seen.filter((version) => version === 'west/v2').length;
    expectShare(canary, n, 0.2);
    expect(seen.filter((version) => version === `${here}/v1`).length).toBe(n - canary);
  });

  test.each([
    ['exact', 'two', 'west/v2'],
    ['a prefix', 'three-and-more', 'east/v3'],
    ['an expression', '22', 'west/v2'],
  ])('metadata by %s picks a version, in whatever cluster it runs', (_, value, version) => {
    const metadata = { 'x-version': value };
    for (const path of [getStock, syncStock]) {
      const seen = many(here, 'rules', path, { metadata, count: 10 });
      expect(seen.map(versionOf)).toEqual(Array(10).fill(version));
    }
  });

  test('a method has its own version', () => {
    const seen = many(here, 'rules', reserve, { count: 10 }).map(versionOf);
    expect(seen).toEqual(Array(10).fill('east/v3'));
  });

  test('a mirrored version sees the call, and the caller gets the answer of the other', async () => {
    const run = fresh();
    const answer = once(here, 'rules', getStock, { 'x-mirror': 'yes', 'x-run': run });
    expect(answer.status).toBe(status.ok);
    expect(versionOf(answer)).toBe(`${here}/v1`);
    await waitFor({ what: 'the mirrored call at v2', timeoutMs: minute }, () => {
      const log = kubectl(
        'west',
        '-n',
        'shop',
        'logs',
        'deployment/rules-v2',
        '-c',
        'inventory',
        '--since=2m',
      );
      const seen = log.split('\n').filter((line) => line.includes(run));
      return seen.length === 1
        ? { done: true, value: undefined }
        : { done: false, because: `its log has ${seen.length} calls of the run` };
    });
  });

  test('a fault ends its share of the calls with its status, and only those with its metadata', () => {
    const n = 300;
    const metadata = { 'x-fault': 'abort' };
    const seen = many(here, 'rules', getStock, { metadata, count: n, concurrency: 8 });
    const aborted = seen.filter((answer) => answer.status === status.aborted);
    expectShare(aborted.length, n, 0.3);
    expect(aborted.every(({ servedBy }) => servedBy === '')).toBe(true);
    expect(seen.filter((answer) => answer.status === status.ok).length).toBe(n - aborted.length);
    expect(once(here, 'rules', syncStock, { 'x-fault': 'full' }).status).toBe('15');
    expect(once(here, 'rules', syncStock, { 'x-fault': 'other' }).status).toBe(status.ok);
  });

  test('a fault delays a call', () => {
    const delayed = once(here, 'rules', reserve, { 'x-fault': 'delay' });
    expect(delayed.status).toBe(status.ok);
    expect(delayed.ms).toBeGreaterThanOrEqual(400);
  });

  test('clusters get their shares', () => {
    const n = 400;
    const seen = many(here, 'shared', getStock, { count: n, concurrency: 2 });
    expect(seen.every((answer) => answer.status === status.ok)).toBe(true);
    const east = seen.filter(({ servedBy }) => servedBy.startsWith('east/')).length;
    expectShare(east, n, here === 'east' ? 0.7 : 0.6);
  });

  test('what is over the limit of open calls gets UNAVAILABLE at once', () => {
    const metadata = { 'x-delay-ms': '5000' };
    const seen = many(here, 'shared', getStock, { metadata, count: 30, concurrency: 30 });
    const refused = seen.filter((answer) => answer.status === status.unavailable);
    const served = seen.filter((answer) => answer.status === status.ok);
    expect(refused.length + served.length).toBe(30);
    expect(served.length).toBeGreaterThanOrEqual(3);
    // The proxy's threads count together, and may pass one call each while they do.
    expect(served.length).toBeLessThanOrEqual(6);
    for (const { ms } of refused) expect(ms).toBeLessThan(5000);
  });

  test('connections across networks are replaced, and so reach both pods', () => {
    const seen = many(here, `far-${there}`, getStock, { count: 150 });
    expect(seen.every((answer) => answer.status === status.ok)).toBe(true);
    // 30 connections or more: all to one of two pods once in 500 million runs, were each drawn at random.
    expect(new Set(seen.map(({ servedBy }) => servedBy)).size).toBe(2);
  });

  test('streams that are open on a replaced connection end in peace', () => {
    const metadata = { 'x-delay-ms': '300', 'x-messages': '5' };
    const seen = many(here, `far-${there}`, syncStock, { metadata, count: 40, concurrency: 20 });
    expect(seen.map((answer) => [answer.status, answer.bytes])).toEqual(Array(40).fill([status.ok, 25]));
  });

  test(
    'a pod that keeps failing gets no more calls, another cluster takes over, and it comes back',
    async () => {
      const broken = { 'x-fail-in': here };
      const failed = many(here, 'failing', getStock, { metadata: broken, count: 60 });
      const took = failed.findIndex(({ servedBy }) => servedBy.startsWith(`${there}/`));
      expect(took).toBeGreaterThanOrEqual(3);
      expect(failed.slice(took).map((answer) => [answer.status, answer.servedBy.split('/')[0]])).toEqual(
        Array(60 - took).fill([status.ok, there]),
      );
      // Out for 20 s, looked at each second.
      await waitFor({ what: `failing in ${here} to be back`, timeoutMs: 2 * minute }, () => {
        const { servedBy } = once(here, 'failing', getStock);
        return servedBy.startsWith(`${here}/`)
          ? { done: true, value: undefined }
          : { done: false, because: `served by ${servedBy}` };
      });
    },
    5 * minute,
  );
});
