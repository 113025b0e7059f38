// Envoy itself with limits as the constructs render them: no cluster. That calls over a limit are refused in a mesh is tried by 6-edge.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '../../apps/testing/free-port.ts';
import { localRateLimit, localRateLimits } from '../../charts/constructs/rate-limits/local-rate-limit.ts';
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
  envoy = await startEnvoy({ static_resources: { listeners } });
}, 10 * minute);
afterAll(() => envoy.stop());

const ask = async (name: Name) => (await fetch(`http://127.0.0.1:${ports[name]}/`)).status;
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

test('a rate of few calls an hour refuses the next one', async () => {
  expect(await answeredAtOnce('rare')).toBe(6);
  expect(await ask('rare')).toBe(429);
});
