import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { applyObject } from './apply-object.ts';
import {
  checkReachable,
  makeRemoteSecret,
  readerAccount,
  remoteSecret,
  reusableToken,
  tokenEnd,
} from './remote-secret.ts';
import { KubeClient } from './kube-client.ts';
import type { KubeObject } from './kube-object.ts';
import { KubeApi } from './testing/kube-api.ts';
import { problemOf } from './testing/problems.ts';

const day = 24 * 60 * 60;
const issued = 1_900_000_000;
const wanted = { server: 'https://10.0.0.1:6443', ca: 'CA', accountUid: 'uid-1' };

function token(uid: string, lifeDays = 30): string {
  const claims = { iat: issued, exp: issued + lifeDays * day, 'kubernetes.io': { serviceaccount: { uid } } };
  return `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`;
}
const secret = (access: Partial<Parameters<typeof remoteSecret>[3]> = {}) =>
  remoteSecret('shop', 'west', 'istio-system', { ...wanted, token: token('uid-1'), ...access });
const after = (days: number) => (issued + days * day) * 1000;

describe('remoteSecret', () => {
  test('is what istiod looks for: label, annotation, and a kubeconfig under the name of the cluster', () => {
    const made = secret();
    expect(made).toMatchObject({
      kind: 'Secret',
      metadata: {
        name: 'istio-remote-secret-west',
        namespace: 'istio-system',
        labels: {
          'istio/multiCluster': 'true',
          'app.kubernetes.io/managed-by': 'meshwright',
          'app.kubernetes.io/part-of': 'shop',
        },
        annotations: { 'networking.istio.io/cluster': 'west' },
      },
    });
    const data = made['data'] as Record<string, string>;
    expect(Object.keys(data)).toEqual(['west']);
    expect(parse(Buffer.from(data['west'] ?? '', 'base64').toString('utf8'))).toEqual({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'west', cluster: { server: wanted.server, 'certificate-authority-data': 'Q0E=' } }],
      contexts: [{ name: 'west', context: { cluster: 'west', user: 'west' } }],
      'current-context': 'west',
      users: [{ name: 'west', user: { token: token('uid-1') } }],
    });
  });
});

describe('reusableToken', () => {
  test.each([
    ['a fresh one', secret(), 1, true],
    ['one with just more than a third of its life left', secret(), 19.9, true],
    ['one with a third of its life left', secret(), 20, false],
    ['one that has expired', secret(), 31, false],
    ['one for another address', secret({ server: 'https://10.0.0.2:6443' }), 1, false],
    ['one with another CA', secret({ ca: 'OTHER' }), 1, false],
    ['one of an account that was made again', secret({ token: token('uid-0') }), 1, false],
    ['one that is no token', secret({ token: 'abc' }), 1, false],
    ['none', undefined, 1, false],
    ['an empty secret', { ...secret(), data: {} }, 1, false],
  ])('%s after %s of 30 days: kept is %s', (_, live, days, kept) => {
    expect(reusableToken('west', live, wanted, after(days))).toBe(kept ? token('uid-1') : undefined);
  });

  test('a server that grants less is asked again sooner', () => {
    const short = secret({ token: token('uid-1', 1) });
    expect(reusableToken('west', short, wanted, after(0.6))).toBe(token('uid-1', 1));
    expect(reusableToken('west', short, wanted, after(0.7))).toBeUndefined();
  });
});

describe('makeRemoteSecret', () => {
  let east: KubeApi;
  let west: KubeApi;
  let granted = 0;
  let life = 30 * day;
  const issuedNow = Math.floor(Date.now() / 1000);
  const until = (seconds: number) => new Date((issuedNow + seconds) * 1000).toISOString();
  let lines: string[];
  const make = () => {
    lines = [];
    return makeRemoteSecret({
      mesh: 'shop',
      namespace: 'istio-system',
      local: east.client,
      remote: west.client,
      report: (line) => lines.push(line),
    });
  };
  const account: KubeObject = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: readerAccount, namespace: 'istio-system' },
  };
  const grant = (): string => {
    const now = issuedNow;
    const uid = (west.get(account)?.['metadata'] as { uid: string }).uid;
    const claims = {
      iat: now,
      exp: now + life,
      jti: ++granted,
      'kubernetes.io': { serviceaccount: { uid } },
    };
    return `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`;
  };

  beforeAll(async () => {
    [east, west] = await Promise.all([KubeApi.start('east'), KubeApi.start('west')]);
    west.intervene = ({ method, path }) =>
      method === 'POST' && path.endsWith('/token')
        ? { status: 201, body: { status: { token: grant() } } }
        : undefined;
  });
  afterAll(() => Promise.all([east.stop(), west.stop()]));

  test('asks for a token once, and again when the account was made again', async () => {
    expect(await problemOf(make())).toEqual({
      exitCode: 1,
      message:
        'west: ServiceAccount istio-system/istio-reader-service-account: does not exist; the Istio release brings it',
    });
    const outcomes: string[] = [];
    const round = async () => {
      outcomes.push(await applyObject(east.client, await make()));
    };
    west.put({ ...account, metadata: { ...account.metadata } });
    await round();
    await round();
    west.put({ ...account, metadata: { ...account.metadata } });
    await round();
    expect(outcomes).toEqual(['created', 'unchanged', 'changed']);
    expect(granted).toBe(2);
    const asked = west.requests.find(({ method }) => method === 'POST');
    expect(asked?.body).toMatchObject({ kind: 'TokenRequest', spec: { expirationSeconds: 30 * day } });
    expect(lines).toEqual([`east: its token for west is valid until ${until(30 * day)}`]);
  });

  test('warns when the server grants less than was asked for', async () => {
    life = day;
    west.put({ ...account, metadata: { ...account.metadata } });
    const made = await make();
    expect(lines).toEqual([
      `east: its token for west is valid until ${until(day)}; warning: the server granted 1.0 days of the 30 asked for, so run up again before then`,
    ]);
    expect(tokenEnd('west', made)).toBe((issuedNow + day) * 1000);
  });
});

describe('checkReachable', () => {
  const clientsAt = (...servers: readonly string[]) =>
    servers.map((server, index) => {
      const config = new KubeConfig();
      config.loadFromClusterAndUser({ name: 'c', server, skipTLSVerify: false }, { name: 'u' });
      return new KubeClient(`c${index}`, config);
    });
  const line = (cluster: string, server: string) =>
    `cluster ${cluster}: its API server has a loopback address, which the pods of the other clusters cannot reach; received "${server}"; fix: use a kubeconfig whose server is an address that the other clusters reach`;

  test('names every cluster whose address means another machine elsewhere', () => {
    const servers = [
      'https://127.0.0.1:6443',
      'https://10.0.0.1:6443',
      'https://localhost:6443',
      'https://[::1]:6443',
      'https://0.0.0.0:6443',
      'https://[::]:6443',
      'https://node.localhost:6443',
    ];
    expect(() => {
      checkReachable(clientsAt(...servers));
    }).toThrow([0, 2, 3, 4, 5, 6].map((index) => line(`c${index}`, servers[index] ?? '')).join('\n'));
  });

  test('a single cluster is read by no other', () => {
    expect(() => {
      checkReachable(clientsAt('https://127.0.0.1:6443'));
    }).not.toThrow();
  });
});
