import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { makeCertificate } from '../testing/certificates.ts';
import type { MadeCertificate } from '../testing/certificates.ts';
import { problemOf } from '../testing/problems.ts';
import { ensureTrust } from './folder.ts';

const settings = { generation: 1, intermediate: 1 };
let directory: string;
let root: MadeCertificate;
let made: Readonly<
  Record<'other' | 'good' | 'expired' | 'early' | 'leaf' | 'middle' | 'low', MadeCertificate>
>;

beforeAll(async () => {
  root = await makeCertificate({ name: 'Company Root', pathLength: 2 });
  const middle = await makeCertificate({ name: 'Company Issuing', pathLength: 1, issuer: root });
  const narrow = await makeCertificate({ name: 'Narrow', pathLength: 0, issuer: root });
  made = {
    other: await makeCertificate({ name: 'Other Root' }),
    good: await makeCertificate({ name: 'east', pathLength: 0, issuer: root }),
    expired: await makeCertificate({
      name: 'east',
      issuer: root,
      notAfter: new Date('2026-01-01T00:00:00Z'),
      notBefore: new Date('2025-01-01T00:00:00Z'),
    }),
    early: await makeCertificate({
      name: 'east',
      issuer: root,
      notBefore: new Date('2199-01-01T00:00:00Z'),
      notAfter: new Date('2199-02-01T00:00:00Z'),
    }),
    leaf: await makeCertificate({ name: 'east', ca: false, issuer: root }),
    middle: await makeCertificate({ name: 'east', pathLength: 0, issuer: middle }),
    low: await makeCertificate({ name: 'east', pathLength: 0, issuer: narrow }),
  };
  chains = { middle: middle.certificate, narrow: narrow.certificate };
});
let chains: { readonly middle: string; readonly narrow: string };

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'own-certificates-'));
  put('root-cert.pem', root.certificate);
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const put = (file: string, content: string) => {
  mkdirSync(dirname(join(directory, file)), { recursive: true });
  writeFileSync(join(directory, file), content);
};
const putCa = (cluster: string, { certificate, key }: Pick<MadeCertificate, 'certificate' | 'key'>) => {
  put(`${cluster}/ca-cert.pem`, certificate);
  put(`${cluster}/ca-key.pem`, key);
};
const ensure = (...clusters: readonly string[]) =>
  ensureTrust(directory, 'shop', clusters, 'istio-system', settings);
const wrong = (cluster: string, what: string) =>
  `${join(directory, cluster)}: ${what}; fix: put a CA of cluster ${cluster} there that is signed by this mesh's root, or move the folder away to get a new one`;

describe('CAs of somebody else', () => {
  test('are taken as they are, without the key of their root', async () => {
    putCa('east', made.good);
    const trust = await ensure('east');
    expect(trust['east']).toEqual({
      certificate: made.good.certificate,
      key: made.good.key,
      chain: [made.good, root].map(({ certificate }) => new X509Certificate(certificate).toString()).join(''),
      roots: root.certificate,
      notAfter: new X509Certificate(made.good.certificate).validToDate,
      state: settings,
    });
  });

  test('may have CAs between them and the root, in cert-chain.pem', async () => {
    putCa('east', made.middle);
    put('east/cert-chain.pem', `${made.middle.certificate}${chains.middle}`);
    const { chain } = (await ensure('east'))['east']!;
    expect(chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(3);
  });

  const garbage = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  test.each<[string, () => void, string]>([
    [
      'an expired CA',
      () => {
        putCa('east', made.expired);
      },
      'ca-cert.pem expired on 2026-01-01T00:00:00.000Z',
    ],
    [
      'a CA of the future',
      () => {
        putCa('east', made.early);
      },
      'ca-cert.pem is not valid before 2199-01-01T00:00:00.000Z',
    ],
    [
      'no CA',
      () => {
        putCa('east', made.leaf);
      },
      'ca-cert.pem is not the certificate of a CA',
    ],
    [
      'a key that does not match',
      () => {
        putCa('east', { ...made.good, key: made.other.key });
      },
      'ca-key.pem is not the private key of ca-cert.pem',
    ],
    [
      'a key that is none',
      () => {
        putCa('east', { ...made.good, key: 'c2VjcmV0' });
      },
      'ca-key.pem is not the private key of ca-cert.pem',
    ],
    [
      'no key',
      () => {
        put('east/ca-cert.pem', made.good.certificate);
      },
      'ca-cert.pem or ca-key.pem is missing',
    ],
    [
      'garbage',
      () => {
        putCa('east', { ...made.good, certificate: garbage });
      },
      'ca-cert.pem is not a PEM certificate',
    ],
    [
      'a garbage chain',
      () => {
        putCa('east', made.good);
        put('east/cert-chain.pem', garbage);
      },
      'cert-chain.pem is not a PEM certificate',
    ],
    [
      'a CA of another root',
      () => {
        putCa('east', made.other);
      },
      "ca-cert.pem is not signed by the mesh's root-cert.pem",
    ],
    [
      'a missing CA between',
      () => {
        putCa('east', made.middle);
      },
      "ca-cert.pem is not signed by the mesh's root-cert.pem",
    ],
    [
      'a path that is too long',
      () => {
        putCa('east', made.low);
        put('east/cert-chain.pem', chains.narrow);
      },
      'CA 2 of cert-chain.pem allows 0 CAs below it (path length), but has 1',
    ],
    [
      'another root beside the CA',
      () => {
        putCa('east', made.good);
        put('east/root-cert.pem', made.other.certificate);
      },
      'its root-cert.pem is not the root of the mesh, which all clusters share',
    ],
  ])('%s is refused', async (_, prepare, what) => {
    prepare();
    expect(await problemOf(ensure('east'))).toEqual({ exitCode: 2, message: wrong('east', what) });
  });

  test('what is wrong with all clusters is said at once, and nothing is made meanwhile', async () => {
    putCa('east', made.expired);
    putCa('west', made.leaf);
    expect(await problemOf(ensure('east', 'west', 'north'))).toEqual({
      exitCode: 2,
      message: [
        wrong('east', 'ca-cert.pem expired on 2026-01-01T00:00:00.000Z'),
        wrong('west', 'ca-cert.pem is not the certificate of a CA'),
      ].join('\n'),
    });
    expect(existsSync(join(directory, 'north'))).toBe(false);
  });

  const fix = 'fix: put the right root certificate there, or begin a new mesh with another trust folder';
  test.each<[string, () => string, string]>([
    ['garbage', () => garbage, `is not a PEM certificate; ${fix}`],
    ['no root', () => made.good.certificate, `is not a root: it is not signed by itself; ${fix}`],
    [
      'two roots',
      () => `${root.certificate}${made.other.certificate}`,
      `holds more than one certificate; allowed the root of this generation; ${fix}`,
    ],
  ])('a root that is %s is refused', async (_, content, what) => {
    put('root-cert.pem', content());
    expect(await problemOf(ensure('east'))).toEqual({
      exitCode: 2,
      message: `${join(directory, 'root-cert.pem')}: ${what}`,
    });
  });

  test('an expired root is refused', async () => {
    const expired = await makeCertificate({ name: 'R', notAfter: new Date(Date.now() - 1000) });
    put('root-cert.pem', expired.certificate);
    const until = new X509Certificate(expired.certificate).validToDate.toISOString();
    expect((await problemOf(ensure('east'))).message).toBe(
      `${join(directory, 'root-cert.pem')}: the root CA expired on ${until}; ${fix}`,
    );
  });

  test('no root is made where CAs of an unknown one are', async () => {
    rmSync(join(directory, 'root-cert.pem'));
    putCa('east', made.good);
    expect((await problemOf(ensure('east', 'west'))).message).toBe(
      `${join(directory, 'root-cert.pem')}: is missing, but signed the CAs of east beside it; fix: put the root certificate that signed them there`,
    );
  });
});
