import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProblemsError } from '../core/problem.ts';
import { cacertsSecret, ensureTrust } from './trust.ts';

let directory: string;
const clusters = ['east', 'west'];
const ensure = (now?: Date) => ensureTrust(join(directory, 'trust'), 'shop', clusters, 'istio-system', now);
const path = (...parts: readonly string[]) => join(directory, 'trust', ...parts);
const certificate = (...parts: readonly string[]) => new X509Certificate(readFileSync(path(...parts)));

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'trust-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

async function problemOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  if (!(error instanceof ProblemsError)) throw new Error(`no problem but ${String(error)}`);
  expect(error.exitCode).toBe(2);
  return error.message;
}

describe('ensureTrust', () => {
  test('makes one root and an intermediate per cluster that chain to it', async () => {
    const trust = await ensure();
    const root = certificate('root-cert.pem');
    expect(root.subject.split('\n')).toEqual(['O=Istio', 'CN=Root CA', 'OU=shop']);
    expect(root.ca).toBe(true);
    expect(root.verify(root.publicKey)).toBe(true);
    for (const cluster of clusters) {
      const intermediate = certificate(cluster, 'ca-cert.pem');
      expect(intermediate.subject.split('\n')).toEqual(['O=Istio', 'CN=Intermediate CA', `L=${cluster}`]);
      expect(intermediate.ca).toBe(true);
      expect(intermediate.checkIssued(root)).toBe(true);
      expect(intermediate.verify(root.publicKey)).toBe(true);
      expect(intermediate.subjectAltName).toBe('DNS:istiod.istio-system.svc');
      expect(intermediate.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' });
      expect(intermediate.checkPrivateKey(createPrivateKey(readFileSync(path(cluster, 'ca-key.pem'))))).toBe(
        true,
      );
      expect(trust[cluster]?.notAfter).toEqual(intermediate.validToDate);
      expect(readFileSync(path(cluster, 'cert-chain.pem'), 'utf8')).toBe(
        readFileSync(path(cluster, 'ca-cert.pem'), 'utf8') + readFileSync(path('root-cert.pem'), 'utf8'),
      );
    }
    expect(certificate('east', 'ca-cert.pem').fingerprint256).not.toBe(
      certificate('west', 'ca-cert.pem').fingerprint256,
    );
  });

  test('the root lasts ten years and the intermediates one, of which only workloads may be signed', async () => {
    const now = new Date('2030-01-01T00:00:00Z');
    await ensure(now);
    expect(certificate('root-cert.pem').validToDate.toISOString()).toBe('2039-12-30T00:00:00.000Z');
    expect(certificate('east', 'ca-cert.pem').validToDate.toISOString()).toBe('2031-01-01T00:00:00.000Z');
    // Basic constraints (2.5.29.19), critical: CA with pathLenConstraint 0. Key usage (2.5.29.15), critical: keyCertSign, cRLSign.
    const der = certificate('east', 'ca-cert.pem').raw.toString('hex');
    expect(der).toContain('0603551d130101ff040830060101ff020100');
    expect(der).toContain('0603551d0f0101ff040403020106');
  });

  test('keeps what is there: a second call changes no file', async () => {
    await ensure();
    const before = snapshot();
    await ensure();
    expect(snapshot()).toEqual(before);
  });

  test('folders are 0700 and files 0600', async () => {
    await ensure();
    const modes = Object.fromEntries(
      ['.', 'east', 'root-key.pem', 'root-cert.pem', join('east', 'ca-key.pem')].map((entry) => [
        entry,
        (statSync(path(entry)).mode & 0o777).toString(8),
      ]),
    );
    expect(modes).toEqual({
      '.': '700',
      east: '700',
      'root-key.pem': '600',
      'root-cert.pem': '600',
      'east/ca-key.pem': '600',
    });
    expect(readdirSync(path()).toSorted()).toEqual(['east', 'root-cert.pem', 'root-key.pem', 'west']);
  });

  test('a key without a certificate is an interrupted start, and begun again', async () => {
    await ensure();
    rmSync(path('root-cert.pem'));
    rmSync(path('east'), { recursive: true });
    rmSync(path('west'), { recursive: true });
    expect(Object.keys(await ensure())).toEqual(clusters);
  });

  test('the root key may be kept elsewhere, until a cluster needs a CA', async () => {
    await ensure();
    rmSync(path('root-key.pem'));
    expect(Object.keys(await ensure())).toEqual(clusters);
    rmSync(path('west'), { recursive: true });
    expect(await problemOf(ensure())).toBe(
      `${path('root-key.pem')}: is missing, and cluster west needs a CA signed by it; fix: put the root key back for this run`,
    );
  });

  test('says what is wrong with every cluster, without any key', async () => {
    await ensure();
    writeFileSync(path('east', 'ca-key.pem'), readFileSync(path('west', 'ca-key.pem')));
    rmSync(path('west', 'ca-cert.pem'));
    const fix = (cluster: string) =>
      `fix: delete this folder and run the command again: cluster ${cluster} gets a new CA from the same root`;
    expect(await problemOf(ensure())).toBe(
      [
        `${path('east')}: ca-key.pem is not the private key of ca-cert.pem; ${fix('east')}`,
        `${path('west')}: ca-cert.pem or ca-key.pem is missing; ${fix('west')}`,
      ].join('\n'),
    );
  });

  test('an unreadable key is not quoted', async () => {
    await ensure();
    writeFileSync(path('east', 'ca-key.pem'), 'c2VjcmV0');
    expect(await problemOf(ensure())).not.toContain('c2VjcmV0');
  });

  test('a CA of another root is refused', async () => {
    await ensure();
    const other = await ensureTrust(join(directory, 'other'), 'shop', ['east'], 'istio-system');
    writeFileSync(path('east', 'ca-cert.pem'), other['east']?.certificate ?? '');
    writeFileSync(path('east', 'ca-key.pem'), other['east']?.key ?? '');
    expect(await problemOf(ensure())).toBe(
      `${path('east')}: ca-cert.pem is not signed by root-cert.pem in the folder above; fix: delete this folder and run the command again: cluster east gets a new CA from the same root`,
    );
  });

  test.each([
    [
      '2040-01-01T00:00:00Z',
      '',
      'the root CA expired on 2039-12-30T00:00:00.000Z; fix: move FOLDER away and run the command again: every cluster gets a new CA',
      'root-cert.pem',
    ],
    [
      '2031-06-01T00:00:00Z',
      '',
      'the CA expired on 2031-01-01T00:00:00.000Z; fix: delete this folder and run the command again: cluster east gets a new CA from the same root',
      'east',
    ],
  ])('expired at %s', async (now, _, message, file) => {
    await ensureTrust(path(), 'shop', ['east'], 'istio-system', new Date('2030-01-01T00:00:00Z'));
    const work = ensureTrust(path(), 'shop', ['east'], 'istio-system', new Date(now));
    expect(await problemOf(work)).toBe(`${path(file)}: ${message.replace('FOLDER', path())}`);
  });

  test('a root that is no certificate', async () => {
    await ensure();
    writeFileSync(path('root-cert.pem'), 'nothing');
    expect(await problemOf(ensure())).toBe(
      `${path('root-cert.pem')}: is not a PEM certificate; fix: move ${path()} away and run the command again: every cluster gets a new CA`,
    );
  });
});

describe('cacertsSecret', () => {
  test('holds the four files that istiod reads', async () => {
    const secret = cacertsSecret('shop', 'istio-system', (await ensure())['east']!);
    const files = ['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem', 'root-cert.pem'];
    expect(secret).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: {
        name: 'cacerts',
        namespace: 'istio-system',
        labels: { 'app.kubernetes.io/managed-by': 'meshwright', 'app.kubernetes.io/part-of': 'shop' },
      },
      data: Object.fromEntries(
        files.map((file) => [file, readFileSync(path('east', file)).toString('base64')]),
      ),
    });
  });
});

function snapshot(): Record<string, string> {
  const files = readdirSync(path(), { recursive: true }).map(String);
  return Object.fromEntries(
    files.map((file) => [
      file,
      `${statSync(path(file)).mtimeMs} ${file.endsWith('.pem') ? readFileSync(path(file), 'utf8') : ''}`,
    ]),
  );
}
