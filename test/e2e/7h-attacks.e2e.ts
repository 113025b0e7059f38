import { afterEach, beforeAll, expect, test } from '@jest/globals';
import type { RawConnection } from '../../apps/testing/raw.ts';
import { until } from '../../apps/testing/until.ts';
import { Attacker } from './load/attacks.ts';
import { addressOf, readAddress } from './calls/edge.ts';
import { startHonest, type HonestResult } from './load/honest.ts';
import { ensureUp } from './checkout/lab.ts';

// Attacks of one client through the ingress gateway, beside another that calls at half of what the way takes: from another
// address, which the ingress gateway vouches for.

const minute = 60_000;
const cluster = 'east';
/** Whose address the honest client has; the attacker has the machine's. */
const honestNode = 'west';
/** How long the honest client calls beside each attack, at least. */
const seconds = 4;

let url: string;
/** Calls a second. */
let half: number;
let alone: HonestResult;
let attacker: Attacker;

/** How many calls a second the ingress and the edge take from this machine. */
async function capacity(): Promise<number> {
  const began = performance.now();
  let calls = 0;
  const caller = async () => {
    while (performance.now() - began < 3_000) {
      const response = await fetch(url);
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`${url} got ${response.status}`);
      calls++;
    }
  };
  await Promise.all(Array.from({ length: 16 }, caller));
  return calls / 3;
}

const inWords = ({ calls, took }: HonestResult) =>
  `${calls} calls, median ${took.p50.toFixed(1)} ms, p99 ${took.p99.toFixed(1)} ms`;

beforeAll(async () => {
  await ensureUp();
  readAddress(cluster);
  url = `http://${addressOf(cluster)}/v1/products/p-1`;
  half = Math.floor((await capacity()) / 2);
  const honest = startHonest(honestNode, url, half);
  await honest.ended(half * seconds);
  alone = await honest.stop();
  process.stderr.write(`attacks: ${half} calls a second alone: ${inWords(alone)}\n`);
}, 60 * minute);

afterEach(() => {
  attacker.end();
});

/** Some of the answers to an attack, which show that it has come. */
const answered = (connections: readonly { statuses(): readonly number[] }[], count: number) =>
  until(() => connections.filter((each) => each.statuses().length > 0).length >= count);

/** Whether it is the HTTP gateway's own 503, for what it has no room for: proxies say theirs in plain text. */
const isOwn503 = (connection: RawConnection) =>
  connection.statuses()[0] === 503 && /^content-type: application\/json\r$/im.test(connection.text());

/** That so many are answered, each with 200, or refused by a limit of the HTTP gateway. */
async function takenOrLimited(connections: readonly RawConnection[], count: number): Promise<void> {
  await answered(connections, count);
  const others = connections.filter((each) => !isOwn503(each)).flatMap((each) => each.statuses());
  expect(others.filter((status) => status !== 200 && status !== 429)).toEqual([]);
}

/** That so many are answered, each with one of these statuses, or with one that says that it is wrong or too much: 503 only by the HTTP gateway. */
async function refusedOr(
  connections: readonly RawConnection[],
  count: number,
  others: readonly number[],
): Promise<void> {
  await answered(connections, count);
  const all = connections
    .filter((each) => !isOwn503(each))
    .map((each) => each.statuses())
    .filter((statuses) => statuses.length > 0);
  const told = new Map<string, number>();
  for (const statuses of all) told.set(statuses.join(), (told.get(statuses.join()) ?? 0) + 1);
  process.stderr.write(`attacks: answered ${JSON.stringify(Object.fromEntries(told))}\n`);
  const refusals = [400, 403, 404, 417, 429, 501];
  expect(all.filter(([status]) => ![...others, ...refusals].includes(status!))).toEqual([]);
}

test.each<[string, () => Promise<unknown>]>([
  // To compare with: what as many requests do that are no attack.
  ['1,000 requests as everybody may send them', () => takenOrLimited(attacker.honest(1_000), 950)],
  ['A3: 60 bodies of 4 MiB that stop one byte short', () => answered(attacker.shortBodies(60, 60), 20)],
  ['A3: WebSocket messages of 1,000 fragments with pongs between', () => attacker.fragments(2, 1_000)],
  ['A3: 100 streams that nobody reads', () => refusedOr(attacker.unreadStreams(100, 100), 100, [200])],
  ['A4: 1,000 requests whose body never comes', () => answered(attacker.bodiless(1_000), 500)],
  ['1,000 requests that are taken back', () => attacker.takenBack(1_000, 100)],
  ['A6: gzip of empty lines', () => answered(attacker.emptyLines(20), 20)],
  ['A7: Any nested 90 deep', () => answered([attacker.nestedAny(90)], 1)],
  ['A8: 1 MiB in chunks of one byte', () => answered([attacker.byteChunks(2 ** 20)], 1)],
  ['A8: DATA frames of one byte', () => attacker.byteFrames(20, 10_000)],
  ['A10: 600 requests that HTTP forbids', () => refusedOr(attacker.malformed(600), 600, [])],
])(
  '%s lose the other client no call',
  async (name, attack) => {
    attacker = new Attacker(80, addressOf(cluster));
    const honest = startHonest(honestNode, url, half);
    await honest.ended(half / 2);
    const began = performance.now();
    await attack();
    const attackSeconds = ((performance.now() - began) / 1_000).toFixed(1);
    await honest.ended(half * seconds);
    const result = await honest.stop();
    const times = (result.took.p99 / alone.took.p99).toFixed(1);
    process.stderr.write(
      `attacks: ${name}, ${attackSeconds} s: ${inWords(result)}, ${times} times as alone\n`,
    );
    expect(result.failures).toEqual([]);
    expect(result.lost).toBe(0);
  },
  2 * minute,
);
