import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { synthesize } from '../../charts/synth.ts';
import { formatProblem } from '../../core/problem.ts';
import { applyPlan } from '../apply/apply.ts';
import { describe as nameOf, field, manager } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { planMesh } from '../plan/plan.ts';
import { parseConfig } from '../plan/stack-config.ts';
import { makeCertificate, type MadeCertificate } from '../testing/certificates.ts';
import { playControllers } from '../testing/controllers.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { quickLimits } from '../testing/limits.ts';
import { meshes, root as project, writeIstioctl } from '../testing/meshes.ts';
import { problemOf } from '../testing/problems.ts';
import { caVolumeProblems, unnamedVolume } from './ca-volume-preflight.ts';
import { mountCa, withCaVolume } from './ca-volume.ts';
import { caSignerEnd } from './ca-signer-end.ts';
import { caOfSecret, readCa, rootsKey } from './live-ca.ts';
import { cacertsKey } from './objects.ts';
import { awaitRoots } from './published-roots.ts';

const namespace = 'istio-system';
const volume = { driver: 'vault.example', volumeAttributes: { secretProviderClass: 'mesh-ca' } };
const source = 'CSI driver vault.example (secretProviderClass: mesh-ca)';

const istiod = (revision = 'istiod', volumes: readonly unknown[] = []): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: revision, namespace, labels: { app: 'istiod' } },
  spec: {
    template: {
      spec: {
        containers: [
          {
            name: 'discovery',
            env: [{ name: 'REVISION', value: 'default' }],
            volumeMounts: [{ name: 'a' }],
          },
          { name: 'other' },
        ],
        volumes: [{ name: 'a' }, ...volumes],
      },
    },
  },
});
const mounted = (driver = volume.driver) => {
  const [object] = mountCa([istiod()], { ...volume, driver });
  return object!;
};

describe('the volume', () => {
  test('is mounted where the istiod of each revision looks for its CA, and into nothing else', () => {
    const others: readonly KubeObject[] = [
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'gateway', namespace } },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'istiod', namespace, labels: { app: 'istiod' } },
      },
    ];
    const release = mountCa([istiod(), istiod('istiod-1-31'), ...others], volume);
    expect(release.slice(2)).toEqual(others);
    for (const object of release.slice(0, 2)) {
      expect(object).toMatchObject({
        spec: {
          template: {
            spec: {
              containers: [
                {
                  name: 'discovery',
                  env: [
                    { name: 'REVISION', value: 'default' },
                    { name: 'ROOT_CA_DIR', value: '/etc/meshwright/ca' },
                  ],
                  volumeMounts: [
                    { name: 'a' },
                    { name: 'meshwright-ca', mountPath: '/etc/meshwright/ca', readOnly: true },
                  ],
                },
                { name: 'other' },
              ],
              volumes: [{ name: 'a' }, { name: 'meshwright-ca', csi: { ...volume, readOnly: true } }],
            },
          },
        },
      });
    }
  });

  test('leaves remote secrets as the only ones that are made, and all objects as they are', () => {
    const mesh = meshes[0]![1]();
    const plan = planMesh(mesh.model(), synthesize(mesh));
    const changed = withCaVolume(plan, volume);
    expect(changed.steps.map(({ objects }) => objects)).toEqual(plan.steps.map(({ objects }) => objects));
    const kinds = (of: typeof plan) =>
      new Set(of.steps.flatMap(({ secrets }) => secrets.map(({ kind }) => kind)));
    expect(kinds(plan)).toEqual(new Set(['cacerts', 'remote-secret', 'trust-anchors']));
    expect(kinds(changed)).toEqual(new Set(['remote-secret']));
    expect(withCaVolume(plan, undefined)).toBe(plan);
  });
});

describe('in clusters', () => {
  let east: KubeApi;
  let west: KubeApi;
  let root: MadeCertificate;
  let other: MadeCertificate;
  beforeAll(async () => {
    [east, west] = await Promise.all([KubeApi.start('east'), KubeApi.start('west')]);
    root = await makeCertificate({ name: 'root' });
    other = await makeCertificate({ name: 'other' });
    for (const api of [east, west]) serveDrivers(api);
  });
  afterEach(() => {
    for (const api of [east, west]) {
      api.objects.clear();
      api.requests.length = 0;
    }
  });
  afterAll(() => Promise.all([east.stop(), west.stop()]));

  const check = async () => {
    const problems = await caVolumeProblems([east.client, west.client], namespace, volume, undefined);
    for (const { requests } of [east, west])
      expect(requests.filter(({ method }) => method !== 'GET')).toEqual([]);
    return problems.map(formatProblem);
  };
  const unlike = (cluster: string, others: string) =>
    `${cluster}: ConfigMap istio-system/istio-ca-root-cert: istiod publishes other roots than in ${others}: calls between these clusters fail; received "the CA from the ${source}"; fix: give all clusters CAs of one root, and the same root-cert.pem`;
  const made =
    'Secret istio-system/istio-ca-secret: istiod found no CA in the volume of the CSI driver vault.example (secretProviderClass: mesh-ca), and signs with one that it made itself: no other cluster trusts it, and its key is in a Secret; allowed ca-cert.pem, ca-key.pem, cert-chain.pem and root-cert.pem; fix: have the driver give these files, delete the Secret, and restart istiod: kubectl --context east --namespace istio-system rollout restart deployment --selector app=istiod';

  test('preflight finds nothing wrong before the mesh and in it', async () => {
    for (const api of [east, west]) putDriver(api);
    expect(await check()).toEqual([]);
    for (const api of [east, west]) {
      api.put(mounted());
      publish(api, root);
    }
    expect(await check()).toEqual([]);
  });

  test('preflight names a driver that is not there, and one without volumes of pods', async () => {
    putDriver(east, []);
    expect(await check()).toEqual([
      'east: CSIDriver vault.example: gives no volumes that belong to a pod alone: istiod would not start; received "Persistent"; allowed a driver with the volume lifecycle mode Ephemeral',
      'west: CSIDriver vault.example: does not exist, but trust.csi names it: istiod would not start; fix: install the driver in every cluster first',
    ]);
  });

  test('preflight names CAs that come from elsewhere, made CAs and other roots', async () => {
    for (const api of [east, west]) putDriver(api);
    east.put({ ...cacertsKey(namespace), type: 'Opaque', data: {} });
    west.put(mounted('other.example'));
    expect(await check()).toEqual([
      `east: Secret istio-system/cacerts: holds the mesh's CA: another root CA would cut off every running workload, and whoever lists Secrets reads the key; received "trust.csi: ${source}"; fix: leave trust.csi out, or take the mesh down first`,
      `west: Deployment istio-system/istiod: reads its CA from another volume than trust.csi names: another root CA would cut off every running workload; received "${source}"; allowed CSI driver other.example (secretProviderClass: mesh-ca); fix: restore the previous trust.csi, or take the mesh down first`,
    ]);
    east.objects.delete('/api/v1/namespaces/istio-system/secrets/cacerts');
    west.put(mounted());
    publish(east, root);
    publish(west, other);
    expect(await check()).toEqual([unlike('east', 'west'), unlike('west', 'east')]);
    const key = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'istio-ca-secret', namespace } };
    east.put({ ...key, type: 'istio.io/ca-root', data: {} });
    expect(await check()).toEqual([`east: ${made}`, unlike('west', 'east')]);
  });

  test('without trust.csi, a mesh whose istiods read a volume is refused', async () => {
    expect(await unnamedVolume(east.client, namespace, undefined)).toEqual([]);
    east.put(istiod());
    expect(await unnamedVolume(east.client, namespace, undefined)).toEqual([]);
    east.put(mounted());
    expect((await unnamedVolume(east.client, namespace, undefined)).map(formatProblem)).toEqual([
      `east: Deployment istio-system/istiod: reads its CA from a volume, but the stack has no trust.csi: another root CA would cut off every running workload; allowed trust.csi: ${source}; fix: restore the previous trust.csi, or take the mesh down first`,
    ]);
  });

  test('after istiod, roots that differ from those of another cluster end the apply', async () => {
    publish(east, root);
    publish(west, other);
    expect(
      await problemOf(awaitRoots(east.client, [east.client, west.client], namespace, volume, undefined)),
    ).toEqual({
      exitCode: 1,
      message: unlike('east', 'west'),
    });
    publish(west, root);
    await awaitRoots(east.client, [east.client, west.client], namespace, volume, undefined);
  });

  test('the live CA is that of the Secret, or the published roots of the one in the volume', async () => {
    expect(await readCa(east.client, namespace, undefined)).toBeUndefined();
    east.put(mounted());
    expect(await readCa(east.client, namespace, undefined)).toBeUndefined();
    publish(east, root);
    expect(await readCa(east.client, namespace, undefined)).toEqual({
      state: { generation: 1, intermediate: 1, csi: volume },
      roots: root.certificate,
    });
    const base64 = (pem: string) => Buffer.from(pem).toString('base64');
    const secret = {
      ...cacertsKey(namespace),
      data: { 'ca-cert.pem': base64(other.certificate), 'root-cert.pem': base64(other.certificate) },
    } as KubeObject;
    east.put(secret);
    expect(await readCa(east.client, namespace, undefined)).toEqual(caOfSecret(secret));
  });

  test('the end of a CA in a volume is what an istiod says, if one does', async () => {
    const ca = { state: { generation: 1, intermediate: 1, csi: volume }, roots: root.certificate };
    const end = () => caSignerEnd(east.client, namespace, ca, undefined);
    const ready = { conditions: [{ type: 'Ready', status: 'True' }] };
    for (const name of ['istiod-1', 'istiod-2'])
      east.put({
        ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels: { app: 'istiod' } } },
        status: ready,
      });
    const asked: string[] = [];
    east.run = (pod, command) => {
      asked.push([pod, ...command].join(' '));
      const metrics = '# TYPE x gauge\ncitadel_server_cert_chain_expiry_timestamp 1.9e+09\nother 1\n';
      return { stdout: pod === 'istiod-1' ? 'nothing of it\n' : metrics };
    };
    expect(await end()).toEqual(new Date(1.9e12));
    expect(asked).toEqual(
      ['istiod-1', 'istiod-2'].map((pod) => `${pod} pilot-discovery request GET /metrics`),
    );
    east.run = () => ({ stdout: '' });
    expect(await end()).toBeUndefined();
    expect(await caSignerEnd(east.client, namespace, undefined, undefined)).toBeUndefined();
    const inSecret = { ...ca, certificate: root.certificate };
    expect(await caSignerEnd(east.client, namespace, inSecret, undefined)).toEqual(
      new X509Certificate(root.certificate).validToDate,
    );
  });
});

test('server-side apply makes no CA, waits for the roots that istiod publishes, and finds nothing to change again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ca-volume-'));
  const root = await makeCertificate({ name: 'root' });
  const names = ['east', 'west'];
  const apis = await Promise.all(names.map((name) => KubeApi.start(name)));
  const seen: string[] = [];
  try {
    const access: Record<string, { kubeconfig: string; context: string }> = {};
    for (const [index, api] of apis.entries()) {
      const cluster = names[index]!;
      playControllers(api, cluster);
      serveDrivers(api);
      putDriver(api);
      const play = api.intervene;
      api.intervene = (request) => {
        if (request.query['fieldManager'] !== manager || request.query['force'] !== 'true')
          return play(request);
        const body = request.body as KubeObject;
        seen.push(`${cluster}: ${nameOf(body)}`);
        if (body.kind === 'Deployment' && body.metadata.name === 'istiod') publish(api, root);
        return play(request);
      };
      access[cluster] = { kubeconfig: api.kubeconfig, context: cluster };
    }
    const mesh = meshes[0]![1]();
    const plan = planMesh(mesh.model(), synthesize(mesh));
    const settings = { clusters: access, istioctl: writeIstioctl(folder, real), trust: { csi: volume } };
    const trustDir = join(folder, 'trust');
    const options = {
      ...parseConfig({ ...settings, trustDir }, project, 'test'),
      report: () => undefined,
      limits: quickLimits,
    };
    await applyPlan(plan, options);
    for (const cluster of names) {
      expect(seen).toContain(`${cluster}: Deployment istio-system/istiod`);
      expect(seen).not.toContain(`${cluster}: Secret istio-system/cacerts`);
    }
    for (const api of apis) {
      const live = api.objects.get('/apis/apps/v1/namespaces/istio-system/deployments/istiod');
      expect(JSON.stringify(live)).toContain('"driver":"vault.example"');
    }
    expect(await applyPlan(plan, options)).toMatchObject({ created: 0, changed: 0, deleted: 0 });
    expect(readdirSync(folder)).not.toContain('trust');
  } finally {
    await Promise.all(apis.map((api) => api.stop()));
    rmSync(folder, { recursive: true });
  }
}, 60_000);

/** The istiod of the release in the tests, with what the chart's has that is changed. */
function real(object: KubeObject): KubeObject {
  if (object.kind !== 'Deployment' || object.metadata.name !== 'istiod') return object;
  const { spec, metadata } = istiod() as KubeObject & { readonly spec: object };
  return {
    ...object,
    metadata: { ...object.metadata, ...metadata },
    spec: { ...(field(object, 'spec') as object), ...spec },
  };
}

function serveDrivers(api: KubeApi): void {
  api.kinds = { ...api.kinds, 'storage.k8s.io/v1': [['CSIDriver', false]] };
}

function putDriver(api: KubeApi, modes: readonly string[] = ['Ephemeral']): void {
  const key = { apiVersion: 'storage.k8s.io/v1', kind: 'CSIDriver', metadata: { name: volume.driver } };
  api.put({ ...key, spec: { volumeLifecycleModes: modes } });
}

/** As istiod does once it has its CA. */
function publish(api: KubeApi, { certificate }: MadeCertificate): void {
  api.put({ ...rootsKey(namespace), data: { 'root-cert.pem': certificate } });
}
