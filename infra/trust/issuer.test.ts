import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { synthesize } from '../../charts/synth.ts';
import { formatProblem } from '../../core/problem.ts';
import { planMesh } from '../plan/plan.ts';
import { makeCertificate } from '../testing/certificates.ts';
import type { MadeCertificate } from '../testing/certificates.ts';
import { installCertManager, putClusterIssuer, putIssued } from '../testing/cert-manager.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { meshes } from '../testing/meshes.ts';
import { problemOf } from '../testing/problems.ts';
import { awaitIssued } from './issued.ts';
import { certificateKey, withIssuer } from './issuer.ts';
import { issuerProblems } from './issuer-preflight.ts';

const issuer = { name: 'mesh-ca', kind: 'ClusterIssuer', group: 'cert-manager.io' };
const namespace = 'istio-system';

describe('a plan with an issuer', () => {
  const mesh = meshes[0]![1]();
  const plan = planMesh(mesh.model(), synthesize(mesh));

  test('asks for a Certificate with the namespaces, and makes neither cacerts nor trust anchors', () => {
    const issued = withIssuer(plan, issuer);
    for (const [index, step] of issued.steps.entries()) {
      const before = plan.steps[index]!;
      expect(step.secrets).toEqual(before.secrets.filter(({ kind }) => kind === 'remote-secret'));
      if (step.stage !== '00-namespaces') expect(step.objects).toEqual(before.objects);
      else expect(step.objects.slice(0, -1)).toEqual(before.objects);
    }
    const labels = { 'app.kubernetes.io/managed-by': 'meshwright', 'app.kubernetes.io/part-of': 'shop' };
    expect(issued.steps.find(({ stage }) => stage === '00-namespaces')?.objects.at(-1)).toEqual({
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      metadata: { name: 'cacerts', namespace, labels },
      spec: {
        secretName: 'cacerts',
        secretTemplate: { labels },
        isCA: true,
        commonName: 'Intermediate CA',
        subject: { organizations: ['Istio'] },
        dnsNames: ['istiod.istio-system.svc'],
        duration: '8760h',
        renewBefore: '2160h',
        privateKey: { algorithm: 'ECDSA', size: 256, encoding: 'PKCS8', rotationPolicy: 'Always' },
        usages: ['cert sign', 'crl sign'],
        issuerRef: issuer,
      },
    });
  });

  test('is the plan itself without one', () => {
    expect(withIssuer(plan, undefined)).toBe(plan);
  });
});

let east: KubeApi;
let west: KubeApi;
let root: MadeCertificate;
let other: MadeCertificate;
let ca: MadeCertificate;
let otherCa: MadeCertificate;
beforeAll(async () => {
  [east, west] = await Promise.all([KubeApi.start('east'), KubeApi.start('west')]);
  root = await makeCertificate({ name: 'root' });
  other = await makeCertificate({ name: 'other' });
  ca = await makeCertificate({ name: 'ca', issuer: root });
  otherCa = await makeCertificate({ name: 'ca', issuer: other });
});
afterEach(() => {
  for (const api of [east, west]) {
    api.objects.clear();
    api.requests.length = 0;
  }
});
afterAll(async () => {
  await Promise.all([east.stop(), west.stop()]);
});
const secret = (cluster: string) => `${cluster}: Secret istio-system/cacerts`;
const again =
  'fix: make ClusterIssuer mesh-ca sign with the same root in all clusters, then issue the certificate again: cmctl renew --namespace istio-system cacerts';

describe('preflight of an issuer', () => {
  const check = async (wanted = issuer) => {
    const problems = await issuerProblems([east.client, west.client], namespace, wanted, undefined);
    for (const { requests } of [east, west])
      expect(requests.filter(({ method }) => method !== 'GET')).toEqual([]);
    return problems.map(formatProblem);
  };

  test('says once in which clusters cert-manager is not', async () => {
    expect(await check()).toEqual([
      'trust.issuer: cert-manager is not installed in east, west: Certificate of cert-manager.io/v1 is not served; received "ClusterIssuer mesh-ca"; fix: install cert-manager and the issuer in east, west, or remove trust.issuer to use CAs of the trust folder',
    ]);
  });

  describe('where cert-manager is', () => {
    beforeAll(() => {
      for (const api of [east, west]) installCertManager(api);
    });

    test('finds nothing wrong before the first issue and after it', async () => {
      for (const api of [east, west]) putClusterIssuer(api, 'mesh-ca');
      expect(await check()).toEqual([]);
      for (const api of [east, west]) {
        putIssued(api, ca, root.certificate);
        const metadata = { name: 'istio-ca-root-cert', namespace };
        api.put({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata,
          data: { 'root-cert.pem': root.certificate },
        });
      }
      expect(await check()).toEqual([]);
    });

    test('names an issuer that is not there, and one that is not ready', async () => {
      putClusterIssuer(west, 'mesh-ca', 'False');
      expect(await check()).toEqual([
        'east: ClusterIssuer mesh-ca: does not exist, but trust.issuer names it; fix: create it in every cluster first',
        'west: ClusterIssuer mesh-ca: is not ready: secret "root" not found; fix: repair the issuer, then run the command again',
      ]);
      expect(await check({ ...issuer, kind: 'Issuer' })).toEqual(
        ['east', 'west'].map(
          (cluster) =>
            `${cluster}: Issuer istio-system/mesh-ca: does not exist, but trust.issuer names it; fix: create it in every cluster first`,
        ),
      );
      // Of an issuer of somebody else no more is known than its Certificate says.
      expect(
        await check({ name: 'pca', kind: 'AWSPCAClusterIssuer', group: 'awspca.cert-manager.io' }),
      ).toEqual([]);
    });

    test('leaves a mesh alone whose CAs come from elsewhere', async () => {
      for (const api of [east, west]) putClusterIssuer(api, 'mesh-ca');
      east.put({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'cacerts', namespace }, data: {} });
      putIssued(west, ca, root.certificate, 'older-ca');
      expect(await check()).toEqual([
        `${secret('east')}: holds a CA that cert-manager did not issue: another root CA would cut off every running workload; received "trust.issuer: ClusterIssuer mesh-ca"; fix: leave trust.issuer out, or take the mesh down first`,
        `${secret('west')}: is signed by a different issuer than trust.issuer names: another root CA would cut off every running workload; received "ClusterIssuer mesh-ca"; allowed ClusterIssuer older-ca; fix: restore the previous trust.issuer, or take the mesh down first`,
      ]);
    });

    test('finds roots that differ, between clusters or from what proxies trust', async () => {
      for (const api of [east, west]) putClusterIssuer(api, 'mesh-ca');
      putIssued(east, ca, root.certificate);
      putIssued(west, otherCa, other.certificate);
      expect(await check()).toEqual([
        `${secret('east')}: its ca.crt is not the root of west, and all clusters must share one root; ${again}`,
        `${secret('west')}: its ca.crt is not the root of east, and all clusters must share one root; ${again}`,
      ]);
      putIssued(east, otherCa, other.certificate);
      const metadata = { name: 'istio-ca-root-cert', namespace };
      east.put({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata,
        data: { 'root-cert.pem': root.certificate },
      });
      expect(await check()).toEqual([
        `${secret('east')}: ClusterIssuer mesh-ca has changed its root: proxies trust the previous root, and the next istiod to start would sign with a CA that they reject; fix: restore the previous CA of the issuer and issue the certificate again (cmctl renew --namespace istio-system cacerts), or take the mesh down first`,
      ]);
    });
  });
});

describe('awaitIssued', () => {
  const lines: string[] = [];
  const wait = (timeoutMs = 0) =>
    awaitIssued(east.client, [east.client, west.client], namespace, issuer, {
      report: (line) => lines.push(line),
      timeoutMs,
    });
  const putCertificate = (status: object = {}, generation = 1) => {
    const key = certificateKey(namespace);
    east.put({ ...key, metadata: { ...key.metadata, generation }, status });
  };
  const ready = { conditions: [{ type: 'Ready', status: 'True', observedGeneration: 1 }] };
  const what = 'east: Certificate istio-system/cacerts issued by ClusterIssuer mesh-ca';

  test('ends when the Certificate is ready and its CA sound', async () => {
    putCertificate(ready);
    putIssued(east, ca, root.certificate);
    putIssued(west, await makeCertificate({ name: 'ca', issuer: root }), root.certificate);
    await wait();
    expect(lines).toEqual([]);
  });

  test.each<[object, number, string]>([
    [{}, 1, 'cert-manager has not seen it: its controller may not be running'],
    [
      {
        conditions: [
          { type: 'Ready', status: 'False', message: 'Issuing certificate as Secret does not exist' },
          {
            type: 'Issuing',
            status: 'False',
            message: 'The certificate request has failed to complete: denied',
          },
        ],
      },
      1,
      'The certificate request has failed to complete: denied; Issuing certificate as Secret does not exist',
    ],
    [
      { conditions: [{ type: 'Ready', status: 'True', observedGeneration: 1, message: 'up to date' }] },
      2,
      'up to date',
    ],
  ])('says what keeps it from being issued: %j', async (status, generation, because) => {
    lines.length = 0;
    putCertificate(status, generation);
    expect(await problemOf(wait())).toEqual({
      exitCode: 1,
      message: `${what}: not reached within 0 s: ${because}; fix: look at kubectl --context east --namespace istio-system describe certificate,certificaterequest, then run the command again`,
    });
    expect(lines).toEqual([`${what}: waiting, ${because}`]);
  });

  test.each<
    [
      string,
      () =>
        | Promise<[Pick<MadeCertificate, 'certificate' | 'key'>, string]>
        | [Pick<MadeCertificate, 'certificate' | 'key'>, string],
    ]
  >([
    ['tls.crt is not a PEM certificate', () => [{ ...ca, certificate: 'x' }, root.certificate]],
    ['ca.crt is not a PEM certificate: its issuer does not publish its root', () => [ca, '']],
    [
      'ca.crt holds more than one certificate, and all clusters must share one root',
      () => [ca, root.certificate + other.certificate],
    ],
    ['tls.key is not the private key of tls.crt', () => [{ ...ca, key: root.key }, root.certificate]],
    ['ca.crt is not a root: it is not signed by itself', () => [ca, otherCa.certificate]],
    ['tls.crt is not signed by ca.crt', () => [ca, other.certificate]],
    [
      'tls.crt is not the certificate of a CA',
      async () => [await makeCertificate({ name: 'leaf', issuer: root, ca: false }), root.certificate],
    ],
    [
      'ca.crt allows 0 CAs below it (path length), but has 1',
      async () => {
        const narrow = await makeCertificate({ name: 'narrow', pathLength: 0 });
        return [await makeCertificate({ name: 'ca', issuer: narrow }), narrow.certificate];
      },
    ],
  ])('refuses what came: %s', async (finding, make) => {
    putCertificate(ready);
    putIssued(east, ...(await make()));
    expect(await problemOf(wait())).toEqual({
      exitCode: 1,
      message: `${secret('east')}: ${finding}; ${again}`,
    });
  });

  test('takes the CAs between the issued one and the root', async () => {
    const between = await makeCertificate({ name: 'between', issuer: root });
    const below = await makeCertificate({ name: 'below', issuer: between });
    putCertificate(ready);
    putIssued(east, { ...below, certificate: below.certificate + between.certificate }, root.certificate);
    await expect(wait()).resolves.toBeUndefined();
  });
});
