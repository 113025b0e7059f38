import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { makeCertificate, type MadeCertificate } from '../testing/certificates.ts';
import { isPair, parseCertificates, pathFindings } from './pem.ts';

const day = 24 * 60 * 60 * 1000;
const now = new Date();

let root: MadeCertificate;
let other: MadeCertificate;
beforeAll(async () => {
  [root, other] = await Promise.all([makeCertificate({ name: 'root' }), makeCertificate({ name: 'other' })]);
});

const read = ({ certificate }: MadeCertificate) => new X509Certificate(certificate);
const named = (made: readonly MadeCertificate[]) =>
  made.map((one, index) => ({ name: `CA ${index}`, certificate: read(one) }));
const findings = (path: readonly MadeCertificate[], at = now) => pathFindings(named(path), at);

describe('parseCertificates', () => {
  test('all of a text, in their order, whatever is between them', () => {
    const text = `first\n${root.certificate}between${other.certificate}${root.certificate}last`;
    expect(parseCertificates(text)?.map(({ subject }) => subject)).toEqual([
      'CN=root',
      'CN=other',
      'CN=root',
    ]);
  });

  test('none where there is none, and none of those beside one that cannot be parsed', () => {
    expect(parseCertificates('')).toBeUndefined();
    expect(parseCertificates(root.key)).toBeUndefined();
    const broken = '-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n';
    expect(parseCertificates(`${root.certificate}${broken}`)).toBeUndefined();
    expect(parseCertificates(root.certificate.replace(/-----END[^]*/, ''))).toBeUndefined();
  });
});

test('a key belongs to its own certificate, and what is no key to none', () => {
  expect(isPair(read(root), root.key)).toBe(true);
  expect(isPair(read(root), other.key)).toBe(false);
  expect(isPair(read(root), '')).toBe(false);
  expect(isPair(read(root), 'no key')).toBe(false);
});

describe('pathFindings', () => {
  test('a path whose every CA signed the one before has none', async () => {
    const between = await makeCertificate({ name: 'between', issuer: root });
    const signer = await makeCertificate({ name: 'signer', issuer: between });
    expect(findings([signer, between, root])).toEqual([]);
    expect(findings([])).toEqual([]);
  });

  test('validity, at its very ends: valid from its first moment, no longer at its last', async () => {
    const [from, to] = [new Date('2030-01-01T00:00:00Z'), new Date('2031-01-01T00:00:00Z')];
    const path = [await makeCertificate({ name: 'a', notBefore: from, notAfter: to })];
    const at = (date: Date, milliseconds: number) => findings(path, new Date(date.getTime() + milliseconds));
    expect(at(from, -1)).toEqual(['CA 0 is not valid before 2030-01-01T00:00:00.000Z']);
    expect(at(from, 0)).toEqual([]);
    expect(at(to, -1)).toEqual([]);
    expect(at(to, 0)).toEqual(['CA 0 expired on 2031-01-01T00:00:00.000Z']);
  });

  test('each certificate has to be that of a CA', async () => {
    const leaf = await makeCertificate({ name: 'leaf', ca: false, issuer: root });
    expect(findings([leaf, root])).toEqual(['CA 0 is not the certificate of a CA']);
  });

  test('an issuer of the same name with another key signed nothing, nor one of another name', async () => {
    const namesake = await makeCertificate({ name: 'root' });
    const signer = await makeCertificate({ name: 'signer', issuer: root });
    expect(findings([signer, namesake])).toEqual(['CA 0 is not signed by CA 1']);
    expect(findings([signer, other])).toEqual(['CA 0 is not signed by CA 1']);
  });

  test.each([
    [0, 1, 'CA 1 allows 0 CAs below it (path length), but has 1'],
    [1, 1, undefined],
    [undefined, 1, undefined],
    [1, 2, 'CA 2 allows 1 CAs below it (path length), but has 2'],
  ])('a path length of %s, with %s CAs below: %s', async (pathLength, below, finding) => {
    const top = await makeCertificate({ name: 'top', ...(pathLength !== undefined && { pathLength }) });
    const path = [top];
    for (let index = 0; index < below; index++)
      path.unshift(await makeCertificate({ name: `ca-${index}`, issuer: path[0]! }));
    expect(findings(path)).toEqual(finding === undefined ? [] : [finding]);
  });

  test('of each certificate the first finding, and of all that have one', async () => {
    const old = new Date(now.getTime() - day);
    const expired = { notBefore: new Date(old.getTime() - day), notAfter: old };
    const top = await makeCertificate({ name: 'top', ...expired });
    const leaf = await makeCertificate({ name: 'leaf', ca: false, issuer: root, ...expired });
    expect(findings([leaf, top])).toEqual([
      `CA 0 expired on ${read(leaf).validToDate.toISOString()}`,
      `CA 1 expired on ${read(top).validToDate.toISOString()}`,
    ]);
  });
});
