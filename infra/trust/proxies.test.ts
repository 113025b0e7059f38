import { expect, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { makeCertificate } from '../testing/certificates.ts';
import { describeLagging, readSecrets } from './proxies.ts';

const inline = (pem: string) => ({ inline_bytes: Buffer.from(pem).toString('base64') });

test("reads the leaf and every anchor of Envoy's dump, and nothing of a proxy that has no certificate", async () => {
  const [old, next] = [await makeCertificate({ name: 'old' }), await makeCertificate({ name: 'next' })];
  const leaf = await makeCertificate({ name: 'leaf', ca: false, issuer: next });
  const secrets = [
    {
      name: 'default',
      tls_certificate: { certificate_chain: inline(`${leaf.certificate}${next.certificate}`) },
    },
    {
      name: 'ROOTCA',
      validation_context: { trusted_ca: inline(`# a note\n${old.certificate}${next.certificate}`) },
    },
  ];
  const seen = readSecrets({ configs: secrets.map((secret) => ({ name: secret.name, secret })) });
  const fingerprints = (...all: readonly { readonly certificate: string }[]) =>
    all.map(({ certificate }) => new X509Certificate(certificate).fingerprint256);
  expect([seen?.leaf.fingerprint256]).toEqual(fingerprints(leaf));
  expect(seen?.anchors.map(({ fingerprint256 }) => fingerprint256)).toEqual(fingerprints(old, next));
  expect([{}, { configs: [] }, null, 'no JSON object'].map(readSecrets)).toEqual(Array(4).fill(undefined));
});

test('names the proxies that lag, the first five of many', () => {
  const lagging = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      pod: `shop/p${index}`,
      because: 'it trusts other roots',
    }));
  expect(describeLagging(lagging(1))).toBe(
    '1 proxy does not have the current certificates: shop/p0 (it trusts other roots)',
  );
  expect(describeLagging(lagging(7))).toMatch(
    /^7 proxies do not have .*: shop\/p0 \(it trusts other roots\), .*shop\/p4 \(it trusts other roots\) and 2 more$/,
  );
});
