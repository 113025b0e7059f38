import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { synthesize } from '../../charts/synth.ts';
import { shopInTwo } from '../../charts/testing/shop.ts';
import { withProject } from '../../charts/testing/project.ts';
import { anyMesh, declareMesh } from '../../charts/testing/random-mesh.ts';
import { labelManaged } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { planMesh } from '../plan/plan.ts';
import type { Plan } from '../plan/plan.ts';
import { ensureTrust } from '../trust/folder.ts';
import { caCertificate, withIssuer } from '../trust/issuer.ts';
import { waves } from '../kube/waves.ts';
import { isStored } from './external-secret.ts';
import type { SecretStore } from './external-secret.ts';
import { exportTree } from './tree.ts';
import type { ExportTree } from './tree.ts';
import { documentsIn, folderOf } from '../testing/exported.ts';
import { root } from '../testing/meshes.ts';

const store: SecretStore = { kind: 'ClusterSecretStore', name: 'vault', key: 'shop/{cluster}/{secret}' };
const argocd = { repo: 'https://git.example.com/gitops.git', revision: 'main', path: 'mesh' };

/** What istioctl may render, and what YAML may take for something else. */
const release: readonly KubeObject[] = [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'istiod', namespace: 'istio-system' },
    spec: {
      template: {
        spec: {
          volumes: [{ name: 'tmp' }, { name: 'ca', secret: { optional: true, secretName: 'cacerts' } }],
        },
      },
    },
  },
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'values', namespace: 'istio-system' },
    data: {
      on: 'off',
      y: '1:30',
      octal: '0777',
      time: '2026-01-01',
      number: '1e3',
      lines: 'a: |\n  b\n\n',
      null: '~',
    },
  },
  {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'gateways.networking.istio.io' },
  },
].map((object) => labelManaged(object, 'shop'));

function treeOf(plan: Plan, options: Partial<Parameters<typeof exportTree>[1]> = {}): ExportTree {
  return exportTree(plan, {
    release: (step) => (step.releases.length > 0 ? release : []),
    store,
    ...options,
  });
}

function shopPlan(): Plan {
  const mesh = shopInTwo(root);
  return planMesh(mesh.model(), synthesize(mesh));
}

test('with an issuer has its Certificate with the namespaces, for which istiod waits, and no CA of the store', () => {
  const issuer = { name: 'mesh-ca', kind: 'ClusterIssuer', group: 'cert-manager.io' };
  const plan = withIssuer(shopPlan(), issuer);
  const tree = treeOf(plan);
  for (const cluster of ['east', 'west']) {
    const [last] = folderOf(tree, `${cluster}/00-namespaces`).slice(-1);
    expect(last).toEqual(caCertificate(plan, issuer));
    expect(tree.files.get(`${cluster}/10-control-plane/kustomization.yaml`)).toContain(
      'path: /spec/template/spec/volumes/1/secret/optional',
    );
  }
  expect(tree.secrets.map(({ secret }) => secret)).toEqual([
    'istio-system/istio-remote-secret-west',
    'istio-system/istio-remote-secret-east',
  ]);
});

test('holds every object of a plan once, in the order of the drivers, for any mesh', () => {
  withProject({}, (root) => {
    fc.assert(
      fc.property(anyMesh, (drawn) => {
        const { mesh } = declareMesh(root, drawn);
        const plan = planMesh(mesh.model(), synthesize(mesh));
        const tree = treeOf(plan, { argocd });
        for (const step of plan.steps) {
          const found = folderOf(tree, `${step.cluster}/${step.stage}`);
          const secrets = found.filter(({ kind }) => kind === 'ExternalSecret');
          const stored = step.secrets.filter(isStored);
          expect(secrets.map(({ metadata }) => metadata.name)).toEqual(stored.map(({ name }) => name));
          expect(found.slice(secrets.length)).toEqual([
            ...waves(step.releases.length > 0 ? release : []).flat(),
            ...waves(step.objects).flat(),
          ]);
        }
        expect([...treeOf(plan, { argocd }).files]).toEqual([...tree.files]);
      }),
      { numRuns: 15 },
    );
  });
});

describe('a tree', () => {
  const plan = shopPlan();
  const tree = treeOf(plan);

  test('lists in each kustomization exactly the files beside it', () => {
    const folders = new Map<string, string[]>();
    for (const path of tree.files.keys()) {
      const [folder, file] = [path.split('/').slice(0, 2).join('/'), path.split('/').slice(2).join('/')];
      folders.set(folder, [...(folders.get(folder) ?? []), file]);
    }
    expect([...folders.keys()]).toEqual(plan.steps.map(({ cluster, stage }) => `${cluster}/${stage}`).sort());
    for (const [folder, files] of folders) {
      const { resources, sortOptions } = parse(tree.files.get(`${folder}/kustomization.yaml`)!) as {
        resources: readonly string[];
        sortOptions: object;
      };
      expect([...resources, 'kustomization.yaml'].sort()).toEqual(files);
      expect(sortOptions).toEqual({ order: 'fifo' });
    }
  });

  test('reads the same as YAML 1.1, which Kubernetes takes it for, and as YAML 1.2', () => {
    for (const content of tree.files.values()) {
      expect(documentsIn(content, '1.1')).toEqual(documentsIn(content, '1.2'));
    }
  });

  test('lets istiod wait for its CA, by a patch of what istioctl renders', () => {
    expect(parse(tree.files.get('east/10-control-plane/kustomization.yaml')!)).toEqual({
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      sortOptions: { order: 'fifo' },
      resources: ['secrets.yaml', 'istio.yaml', 'objects.yaml'],
      patches: [
        {
          target: { kind: 'Deployment', name: 'istiod', namespace: 'istio-system' },
          patch: '- op: add\n  path: /spec/template/spec/volumes/1/secret/optional\n  value: false\n',
        },
      ],
    });
  });

  test('has no folder for a step without objects', () => {
    const steps = plan.steps.map((step) => (step.stage === '60-traffic' ? { ...step, objects: [] } : step));
    const { files } = treeOf({ ...plan, steps }, { argocd });
    expect([...files.keys()].filter((path) => path.includes('60-traffic'))).toEqual([]);
    expect(files.get('applicationset.yaml')).not.toContain('60-traffic');
  });

  test('without a store refers to no secret', () => {
    const { files, secrets } = exportTree(plan, { release: () => release });
    expect(secrets).toEqual([]);
    expect([...files.values()].join('')).not.toContain('ExternalSecret');
  });

  test('has no ExternalSecret for a CA that the plan does not make', () => {
    const steps = plan.steps.map((step) => ({
      ...step,
      secrets: step.secrets.filter(({ kind }) => kind !== 'cacerts'),
    }));
    const made = treeOf({ ...plan, steps }).secrets.map(({ secret }) => secret);
    expect(made).toEqual(['istio-system/istio-remote-secret-west', 'istio-system/istio-remote-secret-east']);
  });
});

describe('secrets', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'export-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test('are not in the tree: neither a Secret, nor any value of the trust', async () => {
    const plan = shopPlan();
    const trust = await ensureTrust(folder, plan.mesh, plan.clusters, plan.controlPlaneNamespace);
    const all = [...treeOf(plan, { argocd }).files.values()].join('\n');
    expect(all).not.toMatch(/^kind: Secret$/m);
    const values = Object.values(trust).flatMap(({ certificate, key, roots }) => [certificate, key, roots]);
    expect(values).toHaveLength(3 * plan.clusters.length);
    for (const value of values) {
      const lines = value.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
      const encoded = Buffer.from(value).toString('base64');
      for (const secret of [...lines, encoded.slice(0, 60)]) expect(all).not.toContain(secret);
    }
  });
});
