import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { waitFor } from '../../core/wait.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { putIssued } from '../testing/cert-manager.ts';
import { makeCertificate, type MadeCertificate } from '../testing/certificates.ts';
import type { Ran } from '../testing/exec-server.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { cacertsKey, cacertsSecret } from './objects.ts';
import { caOfSecret } from './live-ca.ts';
import { awaitTrust, checkProxies } from './proxies.ts';

let api: KubeApi;
/** What each proxy answers: what it ran, or how it failed. */
const answers = new Map<string, () => Ran>();
const asked: (readonly [string, readonly string[]])[] = [];
beforeAll(async () => {
  api = await KubeApi.start('east');
  api.run = (pod, command) => {
    asked.push([pod, command]);
    return answers.get(pod)?.();
  };
});
afterAll(() => api.stop());
afterEach(() => {
  api.objects.clear();
  api.requests.length = 0;
  answers.clear();
  asked.length = 0;
});

const running = { name: 'istio-proxy', state: { running: {} } };
const settings = { generation: 3, phase: 're-issue', intermediate: 2 } as const;

function putPod(name: string, status: object = { initContainerStatuses: [running] }, metadata: object = {}) {
  api.put({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', ...metadata }, status });
}

function cacertsOf(ca: MadeCertificate, roots: readonly MadeCertificate[]): KubeObject {
  const pem = roots.map(({ certificate }) => certificate).join('');
  const { certificate, key } = ca;
  return cacertsSecret('shop', 'istio-system', {
    certificate,
    key,
    ...{ chain: certificate, roots: pem, state: settings, notAfter: new Date() },
  });
}

/** A proxy that holds a leaf with the CAs above it, and trusts roots. */
function holds(pod: string, chain: readonly MadeCertificate[], roots: readonly MadeCertificate[]): void {
  putPod(pod);
  const pem = (all: readonly MadeCertificate[]) => ({
    inline_bytes: Buffer.from(all.map(({ certificate }) => certificate).join('')).toString('base64'),
  });
  const secrets = [
    { name: 'default', tls_certificate: { certificate_chain: pem(chain) } },
    { name: 'ROOTCA', validation_context: { trusted_ca: pem(roots) } },
  ];
  answers.set(pod, () => ({ stdout: JSON.stringify({ configs: secrets.map((secret) => ({ secret })) }) }));
}

const leafOf = (issuer: MadeCertificate) => makeCertificate({ name: 'leaf', ca: false, issuer });
const unsigned = 'its certificate is not signed by the CA of its cluster';

describe('a CA of the trust folder', () => {
  let roots: readonly [MadeCertificate, MadeCertificate];
  let cas: readonly [MadeCertificate, MadeCertificate];
  beforeAll(async () => {
    roots = [await makeCertificate({ name: 'root' }), await makeCertificate({ name: 'next root' })];
    // Of one name, as the intermediates of a cluster are.
    cas = [
      await makeCertificate({ name: 'ca', issuer: roots[0] }),
      await makeCertificate({ name: 'ca', issuer: roots[0] }),
    ];
  });
  const check = () => checkProxies(api.client, caOfSecret(cacertsOf(cas[0], roots)));

  test('a proxy with a leaf of it and exactly its roots, in any order, is current', async () => {
    holds('one', [await leafOf(cas[0]), cas[0]], roots);
    holds('two', [await leafOf(cas[0])], roots.toReversed());
    expect(await check()).toEqual({ cluster: 'east', state: settings, proxies: 2, lagging: [] });
    const command = ['pilot-agent', 'request', 'GET', 'config_dump?resource=dynamic_active_secrets'];
    expect(asked.toSorted()).toEqual([
      ['one', command],
      ['two', command],
    ]);
  });

  test.each<[string, () => Promise<void>, string]>([
    [
      'a leaf of an earlier CA of the same root',
      async () => {
        holds('own', [await leafOf(cas[1]), cas[1]], roots);
      },
      unsigned,
    ],
    [
      'a leaf of the root itself',
      async () => {
        holds('own', [await leafOf(roots[0])], roots);
      },
      unsigned,
    ],
    [
      'fewer roots',
      async () => {
        holds('own', [await leafOf(cas[0])], [roots[0]]);
      },
      'it trusts other roots',
    ],
    [
      'more roots',
      async () => {
        holds('own', [await leafOf(cas[0])], [...roots, await makeCertificate({ name: 'third root' })]);
      },
      'it trusts other roots',
    ],
    [
      'as many roots, one of them another of the same name',
      async () => {
        holds('own', [await leafOf(cas[0])], [roots[0], await makeCertificate({ name: 'next root' })]);
      },
      'it trusts other roots',
    ],
    [
      'no roots',
      async () => {
        holds('own', [await leafOf(cas[0])], []);
      },
      'it trusts other roots',
    ],
    [
      'an answer that is not JSON',
      async () => {
        holds('own', [await leafOf(cas[0])], roots);
        answers.set('own', () => ({ stdout: 'upstream connect error' }));
      },
      'its answer is not JSON',
    ],
    [
      'an error for an answer',
      async () => {
        holds('own', [await leafOf(cas[0])], roots);
        answers.set('own', () => ({ stderr: 'connection refused\n', exitCode: 1 }));
      },
      '`pilot-agent request GET config_dump?resource=dynamic_active_secrets`: connection refused',
    ],
  ])('a proxy with %s lags', async (_, put, because) => {
    await put();
    holds('other', [await leafOf(cas[0])], roots);
    expect(await check()).toEqual({
      cluster: 'east',
      state: settings,
      proxies: 2,
      lagging: [{ pod: 'shop/own', because }],
    });
  });

  test('only running proxies are asked, in containers of either kind, and only those with certificates count', async () => {
    holds('sidecar', [await leafOf(cas[0])], roots);
    holds('gateway', [await leafOf(cas[0])], roots);
    putPod('gateway', { containerStatuses: [{ name: 'istio-proxy', state: { running: {} } }] });
    holds('passing', [], []);
    for (const [name, status] of [
      ['waiting', { containerStatuses: [{ name: 'istio-proxy', state: { waiting: {} } }] }],
      ['done', { initContainerStatuses: [{ name: 'istio-proxy', state: { terminated: {} } }] }],
      ['without', { containerStatuses: [{ name: 'app', state: { running: {} } }] }],
      ['unscheduled', {}],
    ] as const)
      putPod(name, status);
    putPod('ending', undefined, { deletionTimestamp: '2030-01-01T00:00:00Z' });
    expect(await check()).toEqual({ cluster: 'east', state: settings, proxies: 2, lagging: [] });
    expect(asked.map(([pod]) => pod).toSorted()).toEqual(['gateway', 'passing', 'sidecar']);
  });

  test('a Secret whose certificate is none is told', async () => {
    await expect(checkProxies(api.client, caOfSecret(cacertsKey('istio-system')))).rejects.toThrow(
      /^east: the certificate in cacerts cannot be parsed$/,
    );
  });

  test('the wait tells how many proxies have the certificates whenever that changes, and ends with all', async () => {
    const lines: string[] = [];
    const [current, old] = [await leafOf(cas[0]), await leafOf(cas[1])];
    const awaited = awaitTrust([api.client], 'istio-system', (line) => {
      lines.push(line);
    });
    await seen(() => api.requests.length >= 2);
    for (const pod of ['one', 'two', 'three']) holds(pod, [old], roots);
    api.put(cacertsOf(cas[0], roots));
    await seen(() => asked.length >= 6);
    holds('one', [current], roots);
    await seen(() => asked.length >= 12);
    for (const pod of ['two', 'three']) holds(pod, [current], roots);
    expect(await awaited).toEqual([{ cluster: 'east', state: settings, proxies: 3, lagging: [] }]);
    const what = 'cluster east: certificates of every proxy: waiting,';
    expect(lines).toEqual([`${what} 0 of 3 proxies have them`, `${what} 1 of 3 proxies have them`]);
  });
});

function seen(done: () => boolean): Promise<void> {
  const look = () =>
    done() ? { done: true as const, value: undefined } : { done: false as const, because: '' };
  return waitFor({ what: 'requests', timeoutMs: 30_000, intervalMs: 20 }, look);
}

describe('a CA that an issuer renews', () => {
  let root: MadeCertificate;
  let ca: MadeCertificate;
  let earlier: MadeCertificate;
  beforeAll(async () => {
    root = await makeCertificate({ name: 'root' });
    [ca, earlier] = await Promise.all(
      ['ca', 'ca'].map((name) => makeCertificate({ name, issuer: root })) as [
        Promise<MadeCertificate>,
        Promise<MadeCertificate>,
      ],
    );
  });
  const check = async () => {
    putIssued(api, ca, root.certificate);
    const live = await api.client.get(cacertsKey('istio-system'));
    return (await checkProxies(api.client, caOfSecret(live!))).lagging;
  };

  test('a proxy may hold a leaf of an earlier CA of the same root, with what is between, or of the root itself', async () => {
    const below = await makeCertificate({ name: 'below', issuer: earlier });
    holds('now', [await leafOf(ca), ca], [root]);
    holds('earlier', [await leafOf(earlier), earlier], [root]);
    holds('with-root', [await leafOf(earlier), earlier, root], [root]);
    holds('deeper', [await leafOf(below), below, earlier], [root]);
    holds('of-root', [await leafOf(root)], [root]);
    expect(await check()).toEqual([]);
  });

  test.each<[string, () => Promise<readonly MadeCertificate[]>]>([
    ['nothing between it and the root', async () => [await leafOf(earlier)]],
    ['a CA that has not signed it', async () => [await leafOf(earlier), ca]],
    [
      'a CA that has not signed it, and has the name of the one that did',
      async () => [await leafOf(await makeCertificate({ name: 'ca', issuer: root })), earlier],
    ],
    [
      'a CA of a root of another name',
      async () => {
        const other = await makeCertificate({ name: 'ca', issuer: await makeCertificate({ name: 'other' }) });
        return [await leafOf(other), other];
      },
    ],
    [
      'a CA of another root of the same name',
      async () => {
        const other = await makeCertificate({ name: 'ca', issuer: await makeCertificate({ name: 'root' }) });
        return [await leafOf(other), other];
      },
    ],
    [
      'a true chain behind a certificate that is not of it',
      async () => [await leafOf(await makeCertificate({ name: 'stranger' })), earlier, root],
    ],
  ])('a proxy whose leaf comes with %s lags', async (_, chain) => {
    holds('own', await chain(), [root]);
    expect(await check()).toEqual([{ pod: 'shop/own', because: unsigned }]);
  });

  test('a proxy that trusts another root lags', async () => {
    holds('own', [await leafOf(ca), ca], [root, await makeCertificate({ name: 'other' })]);
    expect(await check()).toEqual([{ pod: 'shop/own', because: 'it trusts other roots' }]);
  });
});
