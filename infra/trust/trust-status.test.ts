import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeObject } from '../kube/kube-object.ts';
import { makeCertificate } from '../testing/certificates.ts';
import { ensureTrust } from './folder.ts';
import { cacertsKey, cacertsSecret } from './objects.ts';
import { caOfSecret } from './live-ca.ts';
import { parseCertificates } from './pem.ts';
import { trustStatus } from './trust-status.ts';

let folder: string;
let cacerts: KubeObject;
const made = new Date('2030-01-01T00:00:00Z');
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'trust-status-'));
  const settings = { generation: 1, intermediate: 3 };
  const trust = await ensureTrust(folder, 'shop', ['east'], 'istio-system', settings, made);
  cacerts = cacertsSecret('shop', 'istio-system', trust['east']!);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Of a cluster with this Secret `cacerts`. */
const statusOf = (secret: KubeObject, now = new Date()) => {
  const ca = caOfSecret(secret);
  return trustStatus(ca, parseCertificates(ca.certificate ?? '')?.[0]?.validToDate, now);
};

test.each([
  ['2030-10-02T00:00:00Z', null],
  // 90 days to the end.
  ['2030-10-03T00:00:00Z', null],
  ['2030-10-03T00:00:01Z', 'its CA ends in 89 days: raise trust.intermediate to 4'],
  ['2030-10-04T00:00:00Z', 'its CA ends in 89 days: raise trust.intermediate to 4'],
  ['2030-12-31T00:00:00Z', 'its CA ends in 1 day: raise trust.intermediate to 4'],
  ['2030-12-31T00:00:01Z', 'its CA ends within a day: raise trust.intermediate to 4'],
  ['2031-01-01T00:00:00Z', 'its CA ended less than a day ago: raise trust.intermediate to 4'],
  ['2031-01-02T12:00:00Z', 'its CA ended 1 day ago: raise trust.intermediate to 4'],
  ['2031-01-03T00:00:00Z', 'its CA ended 2 days ago: raise trust.intermediate to 4'],
  [
    '2039-01-02T00:00:00Z',
    'its CA ended 2923 days ago: raise trust.intermediate to 4; its root CA ends in 362 days: begin with trust.generation 2, phase add-root',
  ],
])('at %s warns of what ends soon: %s', (now, warning) => {
  expect(statusOf(cacerts, new Date(now))).toEqual({
    state: 'generation 1, intermediate 3',
    rootNotAfter: '2039-12-30T00:00:00.000Z',
    warning,
    keyInSecret: true,
  });
});

test('in a rotation it does not warn of the old root, which is on its way out', async () => {
  const settings = { generation: 2, phase: 'add-root', intermediate: 4 } as const;
  const then = new Date('2039-05-01T00:00:00Z');
  const trust = await ensureTrust(folder, 'shop', ['east'], 'istio-system', settings, then);
  const rotating = cacertsSecret('shop', 'istio-system', trust['east']!);
  expect(statusOf(rotating, new Date('2039-06-01T00:00:00Z'))).toEqual({
    state: 'generation 2, phase add-root, intermediate 4',
    rootNotAfter: '2039-12-30T00:00:00.000Z',
    warning: null,
    keyInSecret: true,
  });
});

describe('CAs that an issuer signs', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  let issued: KubeObject;
  beforeAll(async () => {
    const root = await makeCertificate({
      name: 'root',
      notBefore: made,
      notAfter: new Date('2035-01-01T00:00:00Z'),
    });
    const ca = await makeCertificate({
      ...{ name: 'ca', issuer: root },
      ...{ notBefore: made, notAfter: new Date('2031-01-01T00:00:00Z') },
    });
    issued = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        ...cacertsKey('istio-system').metadata,
        annotations: {
          'cert-manager.io/certificate-name': 'cacerts',
          'cert-manager.io/issuer-name': 'mesh-ca',
        },
      },
      data: { 'tls.crt': base64(`${ca.certificate}${root.certificate}`), 'ca.crt': base64(root.certificate) },
    };
  });

  const late = (when: string) =>
    `its CA ${when}: cert-manager should have renewed it, look at the status of Certificate cacerts`;
  const old = 'and cannot be changed in a mesh whose CAs an issuer signs (docs/trust.md)';

  test.each([
    // Within the 90 days in which cert-manager renews.
    ['2030-11-01T00:00:00Z', null],
    ['2030-11-02T00:00:00Z', null],
    ['2030-11-02T00:00:01Z', late('ends in 59 days')],
    ['2031-01-01T00:00:00Z', late('ended less than a day ago')],
    // 365 days to the end of the root, and a moment less.
    ['2034-01-01T00:00:00Z', late('ended 1096 days ago')],
    ['2034-01-01T00:00:01Z', `${late('ended 1096 days ago')}; its root CA ends in 364 days, ${old}`],
    ['2034-06-01T00:00:00Z', `${late('ended 1247 days ago')}; its root CA ends in 214 days, ${old}`],
  ])('at %s: %s', (now, warning) => {
    expect(statusOf(issued, new Date(now))).toEqual({
      state: 'Issuer mesh-ca',
      rootNotAfter: '2035-01-01T00:00:00.000Z',
      warning,
      keyInSecret: true,
    });
  });
});

describe('CAs in a volume', () => {
  const csi = { driver: 'vault.example', volumeAttributes: { secretProviderClass: 'mesh-ca' } };
  const source = 'CSI driver vault.example (secretProviderClass: mesh-ca)';

  test.each([
    ['2031-01-01T00:00:00Z', '2030-11-02T00:00:00Z', null],
    [
      '2031-01-01T00:00:00Z',
      '2030-11-03T00:00:00Z',
      `its CA ends in 59 days: renew it where the ${source} gets it from`,
    ],
    [
      undefined,
      '2034-06-01T00:00:00Z',
      `its root CA ends in 214 days: replace it where the ${source} gets it from (docs/trust.md)`,
    ],
  ])('whose signer ends at %s, at %s: %s', async (end, now, warning) => {
    const { certificate: roots } = await makeCertificate({
      ...{ name: 'root', notBefore: made },
      notAfter: new Date('2035-01-01T00:00:00Z'),
    });
    const ca = { state: { generation: 1, intermediate: 1, csi }, roots };
    expect(trustStatus(ca, end === undefined ? undefined : new Date(end), new Date(now))).toEqual({
      state: source,
      rootNotAfter: '2035-01-01T00:00:00.000Z',
      warning,
      keyInSecret: false,
    });
  });
});

test('says nothing of a cluster without a CA, or with one that cannot be read', () => {
  expect(trustStatus(undefined, undefined)).toBeNull();
  expect(statusOf(cacertsKey('istio-system'))).toBeNull();
  const { data } = cacerts as KubeObject & { readonly data: Readonly<Record<string, string>> };
  for (const file of ['ca-cert.pem', 'root-cert.pem'])
    expect(statusOf({ ...cacerts, data: { ...data, [file]: '' } })).toBeNull();
});
