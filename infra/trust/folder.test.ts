import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takeLock } from '../../core/lock.ts';
import type { TrustSettings } from '../plan/stack-config.ts';
import { problemOf } from '../testing/problems.ts';
import { ensureTrust, previewTrust } from './folder.ts';
import { readRoots, rootKeysIn } from './roots.ts';
import { cacertsSecret } from './objects.ts';

let directory: string;
const clusters = ['east', 'west'];
const steady: TrustSettings = { generation: 1, intermediate: 1 };
const ensure = (now?: Date, settings = steady) =>
  ensureTrust(join(directory, 'trust'), 'shop', clusters, 'istio-system', settings, now);
const path = (...parts: readonly string[]) => join(directory, 'trust', ...parts);
const certificate = (...parts: readonly string[]) => new X509Certificate(readFileSync(path(...parts)));

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'trust-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

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

  test('a key without a certificate is an interrupted start, which goes on with that key', async () => {
    await ensure();
    const key = readFileSync(path('root-key.pem'), 'utf8');
    rmSync(path('root-cert.pem'));
    rmSync(path('east'), { recursive: true });
    rmSync(path('west'), { recursive: true });
    expect(Object.keys(await ensure())).toEqual(clusters);
    expect(readFileSync(path('root-key.pem'), 'utf8')).toBe(key);
    expect(certificate('root-cert.pem').checkPrivateKey(createPrivateKey(key))).toBe(true);
  });

  test('the root keys in it are found, of every generation, until they are moved away', async () => {
    await ensure();
    await ensure(undefined, { generation: 2, phase: 'add-root', intermediate: 1 });
    const keys = [path('root-key.pem'), path('generation-2', 'root-key.pem')];
    expect(rootKeysIn(path())).toEqual(keys);
    for (const key of keys) rmSync(key);
    expect(rootKeysIn(path())).toEqual([]);
    expect(rootKeysIn(path('nowhere'))).toEqual([]);
  });

  test('the root key may be kept elsewhere, until a cluster needs a CA', async () => {
    await ensure();
    rmSync(path('root-key.pem'));
    expect(Object.keys(await ensure())).toEqual(clusters);
    rmSync(path('west'), { recursive: true });
    expect(await problemOf(ensure())).toEqual({
      exitCode: 2,
      message: `${path('root-key.pem')}: is missing, but is needed to sign a CA for cluster west; fix: put the root key there for this run, or CAs of your own into the folders of the cluster`,
    });
  });

  test('a later intermediate and a later root are made beside what is there, which stays as it is', async () => {
    await ensure();
    const before = snapshot();
    const raised = await ensure(undefined, { generation: 1, intermediate: 2 });
    expect(raised['east']?.certificate).toBe(
      readFileSync(path('intermediate-2', 'east', 'ca-cert.pem'), 'utf8'),
    );
    const added = await ensure(undefined, { generation: 2, phase: 'add-root', intermediate: 2 });
    expect(added['east']?.certificate).toBe(raised['east']?.certificate);
    const [old, next] = [path(), path('generation-2')].map((folder) =>
      readFileSync(join(folder, 'root-cert.pem'), 'utf8'),
    );
    expect(added['west']?.roots).toBe(`${old}${next}`);
    const issued = await ensure(undefined, { generation: 2, phase: 're-issue', intermediate: 1 });
    expect(issued['west']?.roots).toBe(`${next}${old}`);
    expect(
      certificate('generation-2', 'west', 'ca-cert.pem').checkIssued(new X509Certificate(next ?? '')),
    ).toBe(true);
    const dropped = await ensure(undefined, { generation: 2, phase: 'drop-root', intermediate: 1 });
    expect(dropped['west']?.roots).toBe(next);
    expect(await ensure(undefined, { generation: 2, intermediate: 1 })).toEqual(
      Object.fromEntries(
        Object.entries(dropped).map(([cluster, trust]) => [
          cluster,
          { ...trust, state: { generation: 2, intermediate: 1 } },
        ]),
      ),
    );
    expect(snapshot()).toMatchObject(before);
    expect(readRoots(path()).toSorted()).toEqual([old, next].toSorted());
  });
});

describe('previewTrust', () => {
  const preview = (settings: TrustSettings = steady) =>
    previewTrust(path(), 'shop', clusters, 'istio-system', settings);

  test('makes what is missing without writing anything', async () => {
    const trust = await preview();
    expect(readdirSync(directory)).toEqual([]);
    const { certificate: ca, key, chain, roots, notAfter } = trust['east']!;
    expect(new X509Certificate(ca).checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(new X509Certificate(ca).verify(new X509Certificate(roots).publicKey)).toBe(true);
    expect(chain).toBe(`${new X509Certificate(ca).toString()}${new X509Certificate(roots).toString()}`);
    expect(notAfter).toEqual(new X509Certificate(ca).validToDate);
  });

  test('is what is there, and for a phase that is only wanted writes nothing', async () => {
    const kept = await ensure();
    const before = snapshot();
    expect(await preview()).toEqual(kept);
    const wanted = await preview({ generation: 2, phase: 'add-root', intermediate: 1 });
    expect(wanted['east']?.certificate).toBe(kept['east']?.certificate);
    expect(wanted['east']?.roots.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    await preview({ generation: 1, intermediate: 2 });
    expect(snapshot()).toEqual(before);
  });

  test('gives what the run that writes reads back', async () => {
    const made = await ensure();
    expect(await ensure()).toEqual(made);
  });
});

describe('what a run that was killed left behind', () => {
  const leave = (...parts: readonly string[]) => {
    mkdirSync(path(...parts, '.0123456789ab.tmp'), { recursive: true });
    writeFileSync(path(...parts, '.0123456789ab.tmp', 'ca-key.pem'), 'a key');
    writeFileSync(path(...parts, 'root-key.pem.0123456789ab.tmp'), 'a key');
  };
  const all = () => readdirSync(path(), { recursive: true }).map(String);

  test('is removed, in every generation', async () => {
    await ensure();
    const before = snapshot();
    for (const parts of [[], ['intermediate-2'], ['generation-2'], ['generation-2', 'intermediate-3']])
      leave(...parts);
    await ensure();
    expect(all().filter((name) => name.includes('.tmp'))).toEqual([]);
    expect(snapshot()).toMatchObject(before);
  });

  test('stays while another process is at work, which the message names', async () => {
    await ensure();
    leave();
    const lock = takeLock(path('.lock'), 'reading or making CAs');
    const { message } = await problemOf(ensure());
    lock.release();
    expect(message).toMatch(
      /^.*\/trust\/\.lock: `reading or making CAs` is running here \(pid \d+, since [^)]+\); allowed one command at a time; fix: wait until it ends, or stop it with Ctrl-C$/,
    );
    expect(all()).toContain(join('.0123456789ab.tmp', 'ca-key.pem'));
  });
});

describe('cacertsSecret', () => {
  test('holds the four files that istiod reads', async () => {
    const { data } = cacertsSecret('shop', 'istio-system', (await ensure())['east']!);
    const files = ['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem', 'root-cert.pem'];
    expect(data).toEqual(
      Object.fromEntries(files.map((file) => [file, readFileSync(path('east', file)).toString('base64')])),
    );
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
