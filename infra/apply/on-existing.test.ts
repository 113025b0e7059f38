import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stages } from '../../charts/model/stage.ts';
import { labelManaged } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { planMesh } from '../plan/plan.ts';
import { parseConfig } from '../plan/stack-config.ts';
import { makeCertificate } from '../testing/certificates.ts';
import { modelOnExisting } from '../testing/models.ts';
import { names, namespaceOf, object, OnExisting } from '../testing/existing/on-existing.ts';
import { problemOf } from '../testing/problems.ts';
import { ensureTrust } from '../trust/folder.ts';
import { cacertsSecret } from '../trust/objects.ts';
import { applyPlan } from './apply.ts';
import { removeMesh } from './remove.ts';

const sharedNamespaces = ['team-a'];
const model = modelOnExisting(names, { sharedNamespaces });
let on: OnExisting;
let folder: string;
let lines: string[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'on-existing-'));
  on = await OnExisting.start((await makeCertificate({ name: 'common' })).certificate);
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await on.stop();
});
beforeEach(() => {
  on.renew();
  lines = [];
  for (const name of names) {
    on.store(name, namespaceOf('team-a', { owner: 'team-a' }));
    on.store(name, object('v1', 'Service', { name: 'theirs', namespace: 'team-a' }));
  }
});

const access = () =>
  Object.fromEntries(names.map((name) => [name, { kubeconfig: on.apis[name].kubeconfig, context: name }]));
const report = (line: string) => lines.push(line);
/** A Service of ours in each namespace, and the namespace that is ours alone. */
const rendered = names.flatMap((cluster) =>
  stages.map((stage) => ({
    ...{ cluster, stage, path: '', yaml: '' },
    objects:
      stage === '00-namespaces'
        ? [labelManaged({ ...namespaceOf('shop'), status: { phase: 'Active' } }, 'shop')]
        : stage === '40-services'
          ? ['shop', 'team-a'].map((namespace) =>
              labelManaged(object('v1', 'Service', { name: 'catalog', namespace }), 'shop'),
            )
          : [],
  })),
);
const apply = (namespaces: readonly string[] = [], outside: readonly string[] = []) =>
  applyPlan(planMesh(model, rendered), {
    ...parseConfig({ trustDir: 'trust', istioctl: '/nowhere/istioctl' }, folder, 'test'),
    ...{ access: access(), earlier: { namespaces, outside }, report },
  });
/** What the clusters hold, but for what is ours. */
const theirs = () =>
  names.map((name) =>
    JSON.stringify(
      [...on.apis[name].objects].filter(([, { metadata }]) => {
        const { labels } = metadata as { readonly labels?: Readonly<Record<string, string>> };
        return labels?.['app.kubernetes.io/managed-by'] !== 'meshwright';
      }),
    ),
  );

test('a plan has nothing of a control plane: no CA, no roots, no access for others, no gateway between clusters', () => {
  const plan = planMesh(model, rendered);
  expect(plan.steps.flatMap(({ secrets, releases }) => [...secrets, ...releases])).toEqual([]);
  expect(plan).toMatchObject({
    existing: { revision: 'prod', sharedNamespaces },
    networks: { east: 'net-east', west: 'net-west' },
  });
  expect(plan).not.toHaveProperty('eastWest');
});

describe('on an Istio of others', () => {
  test('apply makes what is declared, without istioctl and without CAs, and writes nothing of others', async () => {
    const before = theirs();
    expect(await apply()).toMatchObject({ created: 6, changed: 0, deleted: 0 });
    expect(await apply()).toMatchObject({ created: 0, changed: 0, unchanged: 6 });
    expect(theirs()).toEqual(before);
    expect(existsSync(join(folder, 'trust'))).toBe(false);
    expect(lines.join('\n')).not.toMatch(/token|certificate|istiod/);
  });

  test('removal takes ours alone, whatever CA theirs has and a trust folder holds', async () => {
    const trustDir = join(folder, 'earlier');
    const [made, other] = await Promise.all([
      ensureTrust(trustDir, 'shop', ['east'], 'istio-system'),
      ensureTrust(join(folder, 'other'), 'others', ['east'], 'istio-system'),
    ]);
    expect(Object.keys(made)).toEqual(['east']);
    const { metadata, ...cacerts } = cacertsSecret('others', 'istio-system', other['east']!);
    on.store('east', { ...cacerts, metadata: { name: metadata.name, namespace: 'istio-system' } });
    const before = theirs();
    await apply();
    await removeMesh(model, { access: access(), trustDir, report });
    expect(theirs()).toEqual(before);
    for (const name of names) {
      const left = [...on.apis[name].objects.keys()].filter((path) => path.includes('/shop'));
      expect(left).toEqual([]);
      expect(on.apis[name].get(namespaceOf('team-a'))).toBeDefined();
      expect(
        on.apis[name].get(object('v1', 'Service', { name: 'catalog', namespace: 'team-a' })),
      ).toBeUndefined();
    }
  });

  /** Of another mesh that is named shop, too, as its own apply left it. */
  const ofNamesake = (apiVersion: string, kind: string, metadata: KubeObject['metadata']) =>
    labelManaged(object(apiVersion, kind, { ...metadata, ...applied }), 'shop');
  const applied = { managedFields: [{ manager: 'meshwright', operation: 'Apply' }] };
  const namesake = [
    ofNamesake('v1', 'Namespace', { name: 'theirs' }),
    ofNamesake('v1', 'ConfigMap', { name: 'settings', namespace: 'theirs' }),
    ofNamesake('v1', 'Service', { name: 'catalog', namespace: 'theirs' }),
  ];
  const kept = (objects: readonly KubeObject[]) =>
    objects.filter((one) => on.apis.east.get(one) !== undefined);

  test('another mesh of the same name in the cluster: up refuses, and removal leaves all of it', async () => {
    await apply();
    for (const one of namesake) on.store('east', one);
    expect(await problemOf(apply())).toEqual({
      exitCode: 2,
      message:
        'east: Namespace theirs: is not declared, and holds objects of a mesh that is named shop, too: two meshes of one name would take each other\'s for their own; received "Service theirs/catalog"; fix: if this is another mesh, rename one of the two; if it is left from an earlier declaration, delete it; if others copied these objects, have them remove the label app.kubernetes.io/part-of',
    });
    await removeMesh(model, { access: access(), trustDir: folder, report });
    expect(kept(namesake)).toEqual(namesake);
  });

  test('where applies wrote is known: removal leaves what is in another namespace, though it is declared by now', async () => {
    const since = modelOnExisting(names, { sharedNamespaces: [...sharedNamespaces, 'theirs'] });
    await apply();
    for (const one of namesake) on.store('east', one);
    const recorded = { ...since, namespaces: ['shop', 'team-a'] };
    await removeMesh(recorded, { access: access(), trustDir: folder, report });
    expect(kept(namesake)).toEqual(namesake);
    expect(lines.filter((line) => line.includes('removed'))).toEqual(
      names.map((name) => `${name}: removed 3 objects`),
    );
    // An older record does not tell.
    await removeMesh(since, { access: access(), trustDir: folder, report });
    expect(kept(namesake)).toEqual(namesake.slice(0, 1));
  });

  test('what is outside of namespaces is of the mesh where it is declared: neither apply nor removal take that of another one', async () => {
    const rbac = 'rbac.authorization.k8s.io/v1';
    const [ours, others] = ['shop-reader', 'theirs-reader'].map((name) =>
      ofNamesake(rbac, 'ClusterRole', { name }),
    ) as [KubeObject, KubeObject];
    for (const one of [ours, others]) on.store('east', one);
    expect(await apply()).toMatchObject({ deleted: 0 });
    expect(kept([ours, others])).toHaveLength(2);
    const outside = ['ClusterRole shop-reader'];
    await removeMesh({ ...model, outside }, { access: access(), trustDir: folder, report });
    expect(kept([ours, others])).toEqual([others]);
  });

  test('what an earlier apply wrote outside of namespaces is of the mesh: up names it when it is no longer declared, and leaves it to down', async () => {
    const rbac = 'rbac.authorization.k8s.io/v1';
    const written = ['ClusterRole', 'ClusterRoleBinding'].map((kind) =>
      ofNamesake(rbac, kind, { name: 'shop-reader' }),
    );
    const theirs = ofNamesake(rbac, 'ClusterRole', { name: 'theirs-reader' });
    for (const one of [...written, theirs]) on.store('east', one);
    const outside = ['ClusterRole shop-reader', 'ClusterRoleBinding shop-reader'];
    expect(await apply([], outside)).toMatchObject({ deleted: 0 });
    expect(kept([...written, theirs])).toEqual([...written, theirs]);
    const left = 'is no longer declared and is left: `down` deletes it, or delete it by hand';
    expect(lines.filter((line) => line.includes('reader'))).toEqual(
      outside.map((name) => `east: ${name} ${left}`),
    );
    await removeMesh({ ...model, outside }, { access: access(), trustDir: folder, report });
    expect(kept([...written, theirs])).toEqual([theirs]);
  });

  test('a namespace of an earlier apply is of the mesh: up deletes in it what is no longer declared, as removal does', async () => {
    for (const one of namesake) on.store('east', one);
    expect(await apply(['theirs'])).toMatchObject({ deleted: 2 });
    expect(kept(namesake)).toEqual(namesake.slice(0, 1));
    for (const one of namesake) on.store('east', one);
    const earlier = { ...model, namespaces: [...model.namespaces, 'theirs'] };
    await removeMesh(earlier, { access: access(), trustDir: folder, report });
    expect(kept(namesake)).toEqual([]);
  });

  test('in a shared namespace, a copy of ours that others made stays, and the namespace, though it once was ours, with what Istio put in it', async () => {
    await apply();
    const copy = labelManaged(object('apps/v1', 'Deployment', { name: 'copy', namespace: 'team-a' }), 'shop');
    const istios = object('v1', 'ConfigMap', {
      ...{ name: 'istio-ca-root-cert', namespace: 'team-a' },
      labels: { 'istio.io/config': 'true' },
    });
    const theirs = [labelManaged(namespaceOf('team-a'), 'shop'), copy, istios];
    for (const one of theirs) on.store('east', one);
    await on.apis.east.client.remove(object('v1', 'Service', { name: 'theirs', namespace: 'team-a' }));
    await apply();
    await removeMesh(model, { access: access(), trustDir: folder, report });
    expect(kept(theirs)).toEqual(theirs);
    expect(lines.filter((line) => line.includes('team-a'))).toEqual([
      "east: Deployment team-a/copy is kept: it has the mesh's labels, but meshwright did not write it",
    ]);
  });
});
