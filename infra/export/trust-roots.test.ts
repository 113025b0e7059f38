import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { synthesize } from '../../charts/synth.ts';
import { planMesh } from '../plan/plan.ts';
import { makeCertificate } from '../testing/certificates.ts';
import type { MadeCertificate } from '../testing/certificates.ts';
import { meshes } from '../testing/meshes.ts';
import { problemOf } from '../testing/problems.ts';
import { exportTree } from './tree.ts';
import { readTrustRoots } from './trust-roots.ts';

let folder: string;
let roots: readonly MadeCertificate[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'roots-'));
  roots = await Promise.all(['old', 'new'].map((name) => makeCertificate({ name })));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const write = (content: string) => {
  const file = join(folder, 'roots.pem');
  writeFileSync(file, content);
  return file;
};
const allowed = 'allowed a file with the root certificates in PEM, the one that signs first';

test('keep their order, and lose what stands between them', () => {
  const [old, next] = roots.map(({ certificate }) => certificate);
  const read = readTrustRoots(write(`# next\n${next!}\n# old\n${old!}`));
  expect(read).toBe([next!, old!].map((pem) => new X509Certificate(pem).toString()).join(''));
});

describe('are refused', () => {
  const refused = async (content: string) => {
    const file = write(content);
    const { message, exitCode } = await problemOf(
      new Promise((resolve) => {
        resolve(readTrustRoots(file));
      }),
    );
    expect(exitCode).toBe(2);
    return message.replaceAll(file, 'FILE');
  };

  test('with all that is wrong', async () => {
    const issuer = roots[0]!;
    const wrong = [
      await makeCertificate({ name: 'below', issuer }),
      await makeCertificate({
        name: 'past',
        notBefore: new Date(0),
        notAfter: new Date('2020-01-01T00:00:00Z'),
      }),
    ];
    expect(await refused(wrong.map(({ certificate }) => certificate).join(''))).toBe(
      [
        'certificate 1 is not a root: it is not signed by itself',
        'certificate 2 expired on 2020-01-01T00:00:00.000Z',
      ]
        .map((what) => `--trust-roots: ${what}; received "FILE"; ${allowed}`)
        .join('\n'),
    );
  });

  test('with a private key among them, of which nothing is shown', async () => {
    const [{ certificate, key }] = roots as [MadeCertificate];
    expect(await refused(certificate + key)).toBe(
      `--trust-roots: holds a private key; received "FILE"; ${allowed}`,
    );
  });

  test('when they are none', async () => {
    expect(await refused('')).toBe(
      `--trust-roots: contains no certificate, or one that cannot be parsed; received "FILE"; ${allowed}`,
    );
    expect((await problemOf(Promise.resolve().then(() => readTrustRoots('/none')))).message).toBe(
      `--trust-roots: there is no such file; received "/none"; ${allowed}`,
    );
  });
});

test('are in the tree as the ConfigMap of the drivers, with the gateways of each cluster, or not at all', () => {
  const mesh = meshes[0]![1]();
  const plan = planMesh(mesh.model(), synthesize(mesh));
  const trustRoots = readTrustRoots(write(roots.map(({ certificate }) => certificate).join('')));
  const { files } = exportTree(plan, { release: () => [], trustRoots });
  const paths = [...files.keys()].filter((path) => path.endsWith('/trust.yaml'));
  expect(paths).toEqual(plan.clusters.map((cluster) => `${cluster}/20-gateways/trust.yaml`));
  for (const path of paths) {
    const object = parse(files.get(path)!) as { data: { mesh: string } };
    expect(object).toMatchObject({
      kind: 'ConfigMap',
      metadata: { name: 'meshwright-trust', namespace: 'istio-system' },
    });
    expect(parse(object.data.mesh)).toEqual({ caCertificates: [{ pem: trustRoots }] });
    const { resources } = parse(files.get(path.replace('trust.yaml', 'kustomization.yaml'))!) as {
      resources: readonly string[];
    };
    expect(resources).toContain('trust.yaml');
  }
  const without = exportTree(plan, { release: () => [] });
  expect([...without.files.keys()].filter((path) => path.endsWith('/trust.yaml'))).toEqual([]);
});
