import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { labelManaged } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { planMesh } from '../plan/plan.ts';
import { preflightMesh } from './preflight.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { modelOf } from '../testing/models.ts';
import { problemOf } from '../testing/problems.ts';

const names = ['east', 'west', 'north'] as const;
let apis: Readonly<Record<(typeof names)[number], KubeApi>>;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'preflight-'));
  const [east, west, north] = await Promise.all([
    KubeApi.start('east'),
    KubeApi.start('west'),
    KubeApi.start('north'),
  ]);
  apis = { east, west, north };
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await Promise.all(Object.values(apis).map((api) => api.stop()));
});
afterEach(() => {
  for (const api of Object.values(apis)) {
    api.objects.clear();
    api.requests.length = 0;
    api.version = 'v1.36.3';
    api.allows = () => true;
  }
});

const object = (apiVersion: string, kind: string, metadata: KubeObject['metadata'], body: object = {}) =>
  ({ apiVersion, kind, metadata, ...body }) as Parameters<KubeApi['put']>[0];
const rendered = names.map((cluster) => ({
  cluster,
  stage: '00-namespaces' as const,
  path: `${cluster}/00-namespaces.k8s.yaml`,
  yaml: '',
  objects: [
    labelManaged(
      {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'shop', labels: { 'istio-injection': 'enabled' } },
      },
      'shop',
    ),
  ],
}));
const pods = names.map((cluster) => ({
  cluster,
  stage: '50-workloads' as const,
  path: `${cluster}/50-workloads.k8s.yaml`,
  yaml: '',
  objects: [
    {
      ...labelManaged(
        { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'shop' } },
        'shop',
      ),
      spec: { template: { metadata: { labels: { app: 'web' } } } },
    },
  ],
}));
const plan = planMesh(modelOf(names), [...rendered, ...pods]);
const preflight = (
  options: { readonly istioctl?: string; readonly warn?: (line: string) => void } = {},
  of = plan,
) =>
  preflightMesh(of, {
    access: Object.fromEntries(
      names.map((name) => [name, { kubeconfig: apis[name].kubeconfig, context: name }]),
    ),
    trustDir: join(folder, 'trust'),
    ...defaults,
    ...options,
  });
const defaults = {
  trust: { generation: 1, intermediate: 1 },
  remoteAccess: { generation: 1, tokenDays: 30 },
};
/** Requests that would have changed anything. */
const writes = () =>
  Object.values(apis).flatMap((api) =>
    api.requests.filter(({ method, path }) => method !== 'GET' && !path.endsWith('reviews')),
  );

describe('credentials', () => {
  test('that may do everything are asked about once', async () => {
    await preflight();
    const reviews = apis.east.requests.filter(({ path }) => path.endsWith('selfsubjectaccessreviews'));
    expect(reviews).toHaveLength(1);
  });

  test('that may only read get one message for each cluster, with what they lack', async () => {
    apis.west.allows = (verb) => ['get', 'list', 'watch'].includes(verb);
    apis.north.allows = (verb, resource) => verb !== '*' && resource !== 'pods/exec';
    const inMesh =
      'configmaps, daemonsets.apps, deployments.apps, horizontalpodautoscalers.autoscaling, ' +
      'poddisruptionbudgets.policy, rolebindings.rbac.authorization.k8s.io, roles.rbac.authorization.k8s.io, ' +
      'serviceaccounts, services in shop';
    const fix = 'fix: use credentials with the ClusterRole cluster-admin, or have these permissions granted';
    expect(await problemOf(preflight())).toEqual({
      exitCode: 2,
      message: [
        `cluster west: the credentials of context west lack these permissions: create, patch, delete on ${inMesh}; patch on deployments/scale.apps in shop; create, patch, delete on namespaces (shop); create, delete on pods in shop; create, delete on pods in default; create on pods/exec in shop; create, patch, delete on secrets in istio-system; create on serviceaccounts/token (istio-remote-reader) in istio-system; create on tokenreviews.authentication.k8s.io; ${fix}`,
        `cluster north: the credentials of context north lack these permissions: get, create on pods/exec in shop; ${fix}`,
      ].join('\n'),
    });
    expect(writes()).toEqual([]);
  });
});

describe('roles that grant more than the credentials have', () => {
  const rbac = 'rbac.authorization.k8s.io';
  const planned = (kind: string, name: string, body: object, namespace?: string): KubeObject => ({
    apiVersion: `${rbac}/v1`,
    kind,
    metadata: { name, ...(namespace && { namespace }) },
    ...body,
  });
  const role = (kind: string, name: string, rules: readonly object[], namespace?: string) =>
    planned(kind, name, { rules }, namespace);
  const binding = (kind: string, name: string, roleKind: string, namespace?: string) =>
    planned(kind, name, { roleRef: { apiGroup: rbac, kind: roleKind, name } }, namespace);
  const reader = [{ apiGroups: ['', 'apps'], resources: ['pods', 'deployments'], verbs: ['get', 'list'] }];
  const one = [{ apiGroups: [''], resources: ['secrets'], resourceNames: ['ca'], verbs: ['get'] }];
  const url = [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }];
  const objects = [
    role('ClusterRole', 'reader', reader),
    role('ClusterRole', 'scraper', url),
    role('Role', 'ca', one, 'shop'),
    binding('ClusterRoleBinding', 'reader', 'ClusterRole'),
    binding('RoleBinding', 'ca', 'Role', 'shop'),
    binding('ClusterRoleBinding', 'view', 'ClusterRole'),
  ];
  const withRoles = planMesh(
    modelOf(names),
    rendered.map((stage) => ({ ...stage, objects: [...stage.objects, ...objects] })),
  );
  const lackIn = (cluster: (typeof names)[number], ...denied: readonly string[]) => {
    apis[cluster].allows = (verb, resource, { name, namespace }) => {
      const asked = `${verb} on ${resource}`;
      const precisely = `${asked} ${name ?? ''} in ${namespace ?? ''}`;
      return ![asked, precisely].some((one) => ['* on *.*', ...denied].includes(one));
    };
  };
  const escalate = `escalate on clusterroles.${rbac}`;
  const bind = `bind on clusterroles.${rbac}`;

  test('need what they grant, or leave to escalate and bind', async () => {
    lackIn('east', escalate, bind, `escalate on roles.${rbac}`, `bind on roles.${rbac}`);
    lackIn('west', 'get on /metrics', 'list on pods.apps', 'get on secrets ca in shop');
    await preflight({}, withRoles);
    lackIn('east', escalate, bind, 'list on deployments.apps', 'get on /metrics');
    lackIn('west', bind, 'list on pods.apps');
    lackIn('north', `escalate on roles.${rbac}`, 'get on secrets ca in shop');
    const fix = 'fix: use credentials with the ClusterRole cluster-admin, or have these permissions granted';
    const may = (cluster: string) =>
      `cluster ${cluster}: the credentials of context ${cluster} lack these permissions: `;
    expect(await problemOf(preflight({}, withRoles))).toEqual({
      exitCode: 2,
      message: [
        `${may('east')}list on deployments.apps; ${escalate}, because ClusterRole reader and 1 more grant permissions that they lack, such as list on deployments.apps; ${bind}, because ClusterRole reader grants permissions that they lack, such as list on deployments.apps; ${fix}`,
        `${may('west')}${bind}, because ClusterRole reader grants permissions that they lack, such as list on pods.apps; ${fix}`,
        `${may('north')}escalate on roles.${rbac}, because Role shop/ca grants permissions that they lack, such as get on secrets ca in shop; ${fix}`,
      ].join('\n'),
    });
    expect(writes()).toEqual([]);
  });

  test('of the Istio release are looked at as istioctl renders them', async () => {
    const operator: KubeObject = {
      apiVersion: 'install.istio.io/v1alpha1',
      kind: 'IstioOperator',
      metadata: { name: 'istio', namespace: 'istio-system' },
    };
    const withRelease = planMesh(
      modelOf(names),
      rendered.map((stage) => ({ ...stage, stage: '10-control-plane' as const, objects: [operator] })),
    );
    const istioctl = join(folder, 'renders');
    const manifest = JSON.stringify(role('ClusterRole', 'istiod', reader));
    writeFileSync(istioctl, `#!/bin/sh\n[ "$1" = manifest ] && echo '${manifest}'\n`);
    chmodSync(istioctl, 0o755);
    lackIn('west', escalate, 'get on pods.apps');
    await preflight({}, withRelease);
    expect((await problemOf(preflight({ istioctl }, withRelease))).message).toBe(
      `cluster west: the credentials of context west lack these permissions: ${escalate}, because ClusterRole istiod grants permissions that they lack, such as get on pods.apps; fix: use credentials with the ClusterRole cluster-admin, or have these permissions granted`,
    );
  });
});

describe('versions', () => {
  test('a Kubernetes older than supported is refused, a newer one is warned of', async () => {
    apis.east.version = 'v1.31.9-gke.100';
    apis.west.version = 'v1.37.0';
    const lines: string[] = [];
    expect(await problemOf(preflight({ warn: (line) => lines.push(line) }))).toEqual({
      exitCode: 2,
      message:
        'cluster east: its Kubernetes version is older than the oldest supported one; received "v1.31.9-gke.100"; allowed 1.32 to 1.36; fix: upgrade the cluster, or use another one',
    });
    expect(lines).toEqual(['cluster west runs Kubernetes v1.37.0; the newest version tested is 1.36']);
  });

  test('an istioctl of another Istio is refused', async () => {
    const istioctl = join(folder, 'istioctl');
    const fake = (version: string) => {
      const said = JSON.stringify({ clientVersion: { version } });
      writeFileSync(istioctl, `#!/bin/sh\necho '${said}'\n`);
      chmodSync(istioctl, 0o755);
    };
    for (const version of ['1.28.4', '1.32.0']) {
      fake(version);
      expect(await problemOf(preflight({ istioctl }))).toEqual({
        exitCode: 2,
        message: `istioctl: ${istioctl} does not have the version of the Istio that it would render; received "${version}"; allowed 1.29 to 1.31; fix: name an istioctl of the declared version in the stack configuration (key istioctl)`,
      });
    }
    fake('1.31-dev.eed52ebb66ad');
    await preflight({ istioctl });
  });
});

test('contexts that reach one cluster are refused', async () => {
  const system = (uid: string) =>
    object('v1', 'Namespace', { name: 'kube-system', uid } as object as { name: string });
  apis.east.put(system('1'));
  apis.west.put(system('2'));
  apis.north.put(system('1'));
  expect(await problemOf(preflight())).toEqual({
    exitCode: 2,
    message: `cluster north: context north reaches the same Kubernetes cluster as context east of east; received "${apis.north.client.server}"; allowed a Kubernetes cluster of its own for each cluster of the mesh; fix: name another context with --context north=CONTEXT`,
  });
});

describe('what others have in a cluster', () => {
  test('a mesh of the same trust domain, whatever its revision', async () => {
    const mesh = (trustDomain: string) => ({ data: { mesh: `trustDomain: ${trustDomain}\n` } });
    const at = (name: string) => ({ name, namespace: 'mesh', labels: { 'istio.io/rev': 'x' } });
    apis.east.put(object('v1', 'ConfigMap', at('istio-1-30'), mesh('shop.example')));
    apis.west.put(object('v1', 'ConfigMap', at('istio'), mesh('other.example')));
    apis.west.put(object('v1', 'ConfigMap', at('istio-default'), { data: { mesh: 'rootNamespace: mesh' } }));
    expect(await problemOf(preflight())).toEqual({
      exitCode: 2,
      message:
        'east: ConfigMap mesh/istio-1-30: another mesh uses the trust domain of this mesh, so workloads of both would have the same identities; received "shop.example"; fix: declare another trust domain, or take that mesh down',
    });
  });

  test('Istio as Helm, in ambient mode, with its own CNI agent, and behind another name', async () => {
    const helm = { 'meta.helm.sh/release-name': 'istiod', 'meta.helm.sh/release-namespace': 'istio-system' };
    apis.east.put(
      object('apps/v1', 'Deployment', {
        name: 'istiod',
        namespace: 'istio-system',
        labels: { app: 'istiod' },
        annotations: helm,
      }),
    );
    apis.east.put(
      object('apps/v1', 'DaemonSet', { name: 'ztunnel', namespace: 'z', labels: { app: 'ztunnel' } }),
    );
    const cni = { name: 'cni', namespace: 'kube-system', labels: { 'k8s-app': 'istio-cni-node' } };
    apis.west.put(object('apps/v1', 'DaemonSet', cni));
    const webhooks = [{ name: 'rev.namespace.sidecar-injector.istio.io', failurePolicy: 'Ignore' }];
    const kind = 'MutatingWebhookConfiguration';
    apis.north.put(object('admissionregistration.k8s.io/v1', kind, { name: 'injector' }, { webhooks }));
    const fix =
      'fix: declare platform: existing({ ... }) to run on it, uninstall it first, or use another cluster';
    const what = 'belongs to an Istio that meshwright did not install';
    expect(await problemOf(preflight())).toEqual({
      exitCode: 2,
      message: [
        `east: Deployment istio-system/istiod: ${what} (Helm release istiod in istio-system); ${fix}`,
        `east: DaemonSet z/ztunnel: ${what}; ${fix}`,
        `west: DaemonSet kube-system/cni: ${what}; ${fix}`,
        `north: MutatingWebhookConfiguration injector: ${what}; ${fix}`,
      ].join('\n'),
    });
  });

  test("webhooks that would be asked about the mesh's pods and that nobody answers", async () => {
    const webhook = (own: object) => ({
      name: 'pods.guard.example',
      rules: [{ apiGroups: [''], operations: ['CREATE'], resources: ['pods'] }],
      clientConfig: { service: { namespace: 'guard', name: 'guard' } },
      ...own,
    });
    const put = (api: KubeApi, ...webhooks: readonly object[]) => {
      const kind = 'ValidatingWebhookConfiguration';
      api.put(object('admissionregistration.k8s.io/v1', kind, { name: 'guard' }, { webhooks }));
    };
    put(apis.east, webhook({}));
    const elsewhere = { matchExpressions: [{ key: 'istio-injection', operator: 'DoesNotExist' }] };
    put(
      apis.west,
      webhook({ failurePolicy: 'Ignore' }),
      webhook({ namespaceSelector: elsewhere }),
      webhook({ objectSelector: { matchLabels: { app: 'other' } } }),
      webhook({ rules: [{ apiGroups: ['apps'], operations: ['*'], resources: ['deployments'] }] }),
      webhook({ clientConfig: { url: 'https://guard.example' } }),
    );
    put(apis.north, webhook({}));
    const slice = { name: 'guard-1', namespace: 'guard', labels: { 'kubernetes.io/service-name': 'guard' } };
    apis.north.put(
      object('discovery.k8s.io/v1', 'EndpointSlice', slice, { endpoints: [{ conditions: { ready: true } }] }),
    );
    expect(await problemOf(preflight())).toEqual({
      exitCode: 2,
      message:
        'east: ValidatingWebhookConfiguration guard: its webhook pods.guard.example matches pods of this mesh, and its Service guard/guard has no endpoint: no pod could be created; fix: restore the workload that serves it, delete the webhook if that workload is gone, or exclude the namespaces of the mesh in its namespaceSelector',
    });
  });

  test('namespaces in which another mesh injects', async () => {
    const ours = { name: 'shop', annotations: { 'linkerd.io/inject': 'enabled' } };
    apis.east.put({
      ...labelManaged({ apiVersion: 'v1', kind: 'Namespace', metadata: ours }, 'shop'),
    });
    expect(await problemOf(preflight())).toEqual({
      exitCode: 2,
      message:
        'east: Namespace shop: its annotation linkerd.io/inject asks another mesh, Linkerd, to inject its proxies into the same pods; received "enabled"; fix: kubectl annotate namespace shop linkerd.io/inject-',
    });
  });

  test('all of it at once, and nothing is changed', async () => {
    apis.east.version = 'v1.30.0';
    apis.west.put(object('apps/v1', 'DaemonSet', { name: 'z', namespace: 'z', labels: { app: 'ztunnel' } }));
    const { message } = await problemOf(preflight());
    expect(message.split('\n')).toEqual([
      expect.stringMatching(/^cluster east: its Kubernetes version is older than the oldest supported one/),
      expect.stringMatching(/^west: DaemonSet z\/z: belongs to an Istio/),
    ]);
    expect(writes()).toEqual([]);
  });
});
