import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ensureNodePki, kubeconfig, mergeKubeconfigs, type NodePki } from './pki.ts';

describe('a node PKI', () => {
  let folder: string;
  let pki: NodePki;
  const node = { name: 'east', address: '172.29.0.2', apiService: '10.11.0.1' };
  const certificate = (path: string) => new X509Certificate(readFileSync(path));

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pki-'));
    pki = await ensureNodePki(folder, node);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test('signs every certificate with the CA, and each has its key', () => {
    const ca = certificate(pki.ca.certificate);
    expect(ca.ca).toBe(true);
    for (const files of [pki.apiServer, pki.admin, pki.kubelet]) {
      const leaf = certificate(files.certificate);
      expect(leaf.ca).toBe(false);
      expect(leaf.checkIssued(ca) && leaf.verify(ca.publicKey)).toBe(true);
      expect(leaf.checkPrivateKey(createPrivateKey(readFileSync(files.key)))).toBe(true);
    }
  });

  test('names who Kubernetes expects', () => {
    expect(certificate(pki.admin.certificate).subject).toBe('O=system:masters\nCN=admin');
    expect(certificate(pki.kubelet.certificate).subject).toBe('O=system:nodes\nCN=system:node:east');
    const server = certificate(pki.apiServer.certificate);
    for (const address of ['172.29.0.2', '127.0.0.1', '10.11.0.1'])
      expect(server.checkIP(address)).toBe(address);
    expect(server.checkHost('kubernetes.default.svc')).toBe('kubernetes.default.svc');
  });

  test('keeps keys to their owner', () => {
    for (const file of [
      pki.ca.key,
      pki.apiServer.key,
      pki.admin.key,
      pki.kubelet.key,
      pki.serviceAccountKey,
    ]) {
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }
  });

  test('is made once', async () => {
    const before = readFileSync(pki.ca.certificate, 'utf8');
    await ensureNodePki(folder, node);
    expect(readFileSync(pki.ca.certificate, 'utf8')).toBe(before);
  });

  test('makes kubeconfigs that merge into one with a context per cluster', () => {
    const east = kubeconfig('east', 'https://172.29.0.2:6443', pki.ca, pki.admin);
    const west = kubeconfig('west', 'https://172.29.0.3:6443', pki.ca, pki.admin);
    const merged = mergeKubeconfigs([east, west]);
    expect(merged.contexts).toEqual([
      { name: 'east', context: { cluster: 'east', user: 'east' } },
      { name: 'west', context: { cluster: 'west', user: 'west' } },
    ]);
    expect(merged['current-context']).toBe('east');
    expect(merged.clusters[1]).toMatchObject({ cluster: { server: 'https://172.29.0.3:6443' } });
  });
});
