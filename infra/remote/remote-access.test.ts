import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { remoteReader } from '../../charts/constructs/scope/names.ts';
import { applyObject } from '../apply/apply-object.ts';
import { grantAccess, revokeOthers, revokeStrangers } from './remote-access.ts';
import { readRemoteSecret } from './remote-secret.ts';
import { addControlPlane, addRemoteReader } from '../testing/control-plane.ts';
import type { ControlPlane } from '../testing/control-plane.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { problemOf } from '../testing/problems.ts';

/** All that jest replaces but Date. */
const timerFunctions = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const;

const day = 24 * 60 * 60 * 1000;
let east: KubeApi;
let west: KubeApi;
let plane: ControlPlane;
let lines: string[];
let outcomes: string[];

beforeAll(async () => {
  [east, west] = await Promise.all([KubeApi.start('east'), KubeApi.start('west')]);
});
afterAll(() => Promise.all([east.stop(), west.stop()]));
afterEach(() => {
  jest.useRealTimers();
});
beforeEach(() => {
  for (const api of [east, west]) {
    api.objects.clear();
    api.requests.length = 0;
  }
  plane = addControlPlane(west);
  addRemoteReader(west);
  lines = [];
  outcomes = [];
});

interface Given {
  readonly generation?: number;
  readonly tokenDays?: number;
  readonly server?: string;
}
const options = ({ generation = 1, tokenDays = 30, server = west.client.server }: Given = {}) => ({
  mesh: 'shop',
  namespace: 'istio-system',
  reader: east.client,
  remote: west.client,
  server,
  settings: { generation, tokenDays },
  report: (line: string) => lines.push(line),
});
/** What a driver does: the secret is made, and written. */
const round = async (given: Given = {}) => {
  const secret = await grantAccess(options(given));
  outcomes.push(await applyObject(east.client, secret));
  return readRemoteSecret('west', secret)!;
};
const bindings = () =>
  [...west.objects.values()]
    .map(({ kind, metadata }) => ({ kind, ...(metadata as { name: string; uid: string }) }))
    .filter(({ kind, name }) => kind === 'Secret' && name.startsWith(`${remoteReader}-`));
/** Moves the clock of this process, which is the server's too; timers go on by the real one. */
const moveClock = (now: Date) => {
  jest.useRealTimers();
  jest.useFakeTimers({ now, doNotFake: [...timerFunctions] });
};
const setClock = (live: { claims: { issued: number; expires: number } | undefined }, part: number) => {
  const { issued, expires } = live.claims!;
  return new Date((issued + (expires - issued) * part) * 1000);
};

describe('grantAccess', () => {
  test('asks for a token once, bound to a Secret that goes with the account', async () => {
    const first = await round({ tokenDays: 10 });
    expect(await round({ tokenDays: 10 })).toEqual(first);
    expect(outcomes).toEqual(['created', 'unchanged']);
    expect(plane.tokens).toEqual([first.token]);
    const [binding, ...none] = bindings();
    expect(none).toEqual([]);
    expect(first.claims?.boundTo).toEqual({ name: binding?.name, uid: binding?.uid });
    expect(binding?.name).toMatch(/^istio-remote-reader-east-1-[0-9a-f]{8}$/);
    const account = west.get({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: remoteReader, namespace: 'istio-system' },
    });
    expect(binding).toMatchObject({
      labels: { 'meshwright/remote-reader': 'east', 'app.kubernetes.io/part-of': 'shop' },
      ownerReferences: [{ kind: 'ServiceAccount', name: remoteReader, uid: uid(account) }],
    });
    const asked = west.requests.find(({ path }) => path.endsWith('/token'));
    expect(asked?.body).toMatchObject({ kind: 'TokenRequest', spec: { expirationSeconds: 864_000 } });
    const until = new Date((first.claims?.expires ?? 0) * 1000).toISOString();
    expect(lines).toEqual([
      `east: new token for west, because it has none; valid until ${until}`,
      `east: its token for west is valid until ${until}`,
    ]);
  });

  test.each<[string, () => unknown, Given, string]>([
    ['another generation', () => undefined, { generation: 2 }, 'remoteAccess.generation went from 1 to 2'],
    [
      'another address',
      () => undefined,
      { server: 'https://10.0.0.7:6443' },
      'the address or CA of the API server differs from that in the remote secret',
    ],
    [
      'an account that was made again',
      () => {
        addRemoteReader(west);
      },
      {},
      'its present one is for another service account',
    ],
    [
      'a token whose Secret was deleted',
      async () => {
        for (const { name } of bindings())
          await west.client.remove({
            apiVersion: 'v1',
            kind: 'Secret',
            metadata: { name, namespace: 'istio-system' },
          });
      },
      {},
      'west refuses its present one: invalid bearer token, service account token has been invalidated',
    ],
    [
      'a token that the cluster no longer takes',
      () => {
        plane.tokens.length = 0;
      },
      {},
      'west refuses its present one: invalid bearer token',
    ],
  ])('issues a new token for %s, and says why', async (_, change, given, why) => {
    const before = await round();
    await change();
    const after = await round(given);
    expect(after.token).not.toBe(before.token);
    expect(outcomes).toEqual(['created', 'changed']);
    const until = new Date((after.claims?.expires ?? 0) * 1000).toISOString();
    expect(lines.at(-1)).toBe(`east: new token for west, because ${why}; valid until ${until}`);
  });

  test('renews a token when less than a third of its life is left', async () => {
    const first = await round();
    moveClock(setClock(first, 0.66));
    expect(await round()).toEqual(first);
    moveClock(setClock(first, 0.67));
    const second = await round();
    expect(second.token).not.toBe(first.token);
    expect(lines.at(-1)).toContain('because less than a third of the life of its present one is left; valid');
  });

  test('warns when the server grants less than was asked for', async () => {
    plane.grantedDays = 1;
    const { claims } = await round();
    expect(lines).toEqual([
      `east: new token for west, because it has none; valid until ${new Date((claims?.expires ?? 0) * 1000).toISOString()}; warning: the server granted 1.0 of the 30 days requested, so run up again before then`,
    ]);
    expect((claims?.expires ?? 0) * 1000).toBeLessThan(Date.now() + 2 * day);
  });

  test('fails without the account, and when no token is granted', async () => {
    west.intervene = ({ path }) =>
      path.endsWith('/token')
        ? { status: 403, body: { message: 'serviceaccounts/token is forbidden' } }
        : undefined;
    expect(await problemOf(round())).toEqual({
      exitCode: 1,
      message:
        'west: token for ServiceAccount istio-system/istio-remote-reader: not granted: serviceaccounts/token is forbidden',
    });
    west.objects.clear();
    expect(await problemOf(round())).toEqual({
      exitCode: 1,
      message:
        'west: ServiceAccount istio-system/istio-remote-reader: does not exist; stage 10-control-plane creates it',
    });
  });

  test('a preview asks for nothing, and shows a change only where there will be one', async () => {
    west.objects.clear();
    const text = async (given?: Given) =>
      readRemoteSecret('west', await grantAccess(options(given), true))?.token;
    expect(await text()).toBe('issued-by-up');
    addRemoteReader(west);
    expect(await text()).toBe('issued-by-up');
    const { token } = await round();
    expect(await text()).toBe(token);
    expect(await text({ generation: 2 })).toBe('issued-by-up');
    expect(plane.tokens).toEqual([token]);
    expect(bindings()).toHaveLength(1);
  });
});

describe('revoking', () => {
  test('ends what the live token replaced, and what an interrupted run left, not the live one', async () => {
    const first = await round();
    // Cut off before its secret was written.
    await grantAccess(options({ generation: 2 }));
    const third = await round({ generation: 2 });
    expect(bindings()).toHaveLength(3);
    expect(await revokeOthers(options())).toBe(2);
    expect(bindings().map(({ uid: left }) => left)).toEqual([third.claims?.boundTo?.uid]);
    expect(await revokeOthers(options())).toBe(0);
    expect(lines.at(-1)).toBe("west: revoked east's older tokens (2)");
    expect(plane.tokens).toContain(first.token);
    expect(await round({ generation: 2 })).toEqual(third);
  });

  test("leaves other clusters' tokens alone, until they have left the mesh", async () => {
    await round();
    const strangers = { mesh: 'shop', namespace: 'istio-system', report: (line: string) => lines.push(line) };
    expect(await revokeOthers({ ...options(), reader: west.client })).toBe(0);
    await revokeStrangers(west.client, { ...strangers, clusters: ['east', 'west'] });
    expect(bindings()).toHaveLength(1);
    await revokeStrangers(west.client, { ...strangers, clusters: ['west'] });
    expect(bindings()).toEqual([]);
    expect(lines.at(-1)).toBe('west: revoked a token of east, which is not in the mesh');
  });
});

function uid(object: Record<string, unknown> | undefined): string {
  return (object?.['metadata'] as { uid: string }).uid;
}
