// Envoy itself with limits as the constructs render them: no cluster. That calls over a limit are refused in a mesh is tried by 6-edge.
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '../../apps/testing/free-port.ts';
import {
  localRateLimit,
  localRateLimits,
  withoutLimits,
} from '../../charts/constructs/rate-limits/local-rate-limit.ts';
import { rateOf, type RateLimit } from '../../charts/constructs/rate-limits/rate-limit.ts';
import { waitFor } from '../../core/wait.ts';
import { listener, startEnvoy, type Envoy } from './calls/envoy.ts';

const minute = 60_000;
const limits = {
  // What comes back within a second or so, of a rate as of another: 60 a minute are one a second.
  minutely: { perMinute: 60, by: 'all' },
  hourly: { perHour: 3_600, burst: 30, by: 'all' },
  // What does not.
  rare: { perHour: 6, by: 'all' },
} as const satisfies Readonly<Record<string, RateLimit<string>>>;
type Name = keyof typeof limits;
const names = Object.keys(limits) as readonly Name[];

const hosts = ['shop.example', 'www.shop.example'] as const;
let atHosts: number;

/** The same limits on each virtual host, as istiod merges them in. */
function listenerOfHosts() {
  const typed = localRateLimits([{ name: 'all by all', requests: [], ...rateOf(limits.rare) }]);
  const virtual_hosts = hosts.map((name) => ({
    name,
    domains: [name, `${name}:*`],
    routes: [{ match: { prefix: '/' }, direct_response: { status: 200 } }],
    typed_per_filter_config: { [localRateLimit]: typed },
  }));
  return listener('hosts', atHosts, { route_config: { virtual_hosts } }, [withoutLimits], {});
}

let envoy: Envoy;
let ports: Readonly<Record<Name, number>>;
beforeAll(async () => {
  const [minutely, hourly, rare] = [await freePort(), await freePort(), await freePort()];
  ports = { minutely, hourly, rare };
  const listeners = names.map((name) => {
    const limit = { name, requests: [], ...rateOf(limits[name]) };
    const filter = { name: localRateLimit, typed_config: localRateLimits([limit]) };
    return listener(name, ports[name], {}, [filter], { direct_response: { status: 200 } });
  });
  atHosts = await freePort();
  envoy = await startEnvoy({ static_resources: { listeners: [...listeners, listenerOfHosts()] } });
}, 10 * minute);
afterAll(() => envoy.stop());

const ask = async (name: Name) => (await fetch(`http://127.0.0.1:${ports[name]}/`)).status;
/** The same from a host, whose port is no other host. */
const askHost = async (host: string) => {
  const sent = request({ host: '127.0.0.1', port: atHosts, headers: { host: `${host}:${atHosts}` } }).end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  answer.resume();
  return answer.statusCode;
};
/** How many requests are answered before one is refused. */
async function answeredAtOnce(name: Name): Promise<number> {
  for (let count = 0; ; count++) {
    const status = await ask(name);
    if (status === 429) return count;
    expect(status).toBe(200);
  }
}

test.each([
  ['minutely', 60],
  ['hourly', 30],
] as const)(
  'a rate lets its burst through at once (%s), then one when its share of the time is over',
  async (name, burst) => {
    const started = Date.now();
    const count = await answeredAtOnce(name);
    expect(count).toBeGreaterThanOrEqual(burst);
    // One a second comes back while they are asked.
    expect(count).toBeLessThanOrEqual(burst + 1 + (Date.now() - started) / 1_000);
    await waitFor(
      { what: `a call of ${name} that comes back`, timeoutMs: 10_000, intervalMs: 100 },
      async () => ((await ask(name)) === 200 ? { done: true, value: true } : { done: false, because: '429' }),
    );
  },
);

test('the hosts of an edge have the limits each for itself: Envoy counts for each virtual host', async () => {
  for (const host of hosts) {
    for (let made = 0; made < 6; made++) expect(await askHost(host)).toBe(200);
    expect(await askHost(host)).toBe(429);
  }
});

test('a rate of few calls an hour refuses the next one', async () => {
  expect(await answeredAtOnce('rare')).toBe(6);
  expect(await ask('rare')).toBe(429);
});
