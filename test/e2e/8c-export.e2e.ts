import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { synthMesh } from '../../cli/workspace/synth-mesh.ts';
import { thisWorkspace } from '../../cli/workspace/workspace.ts';
import { renderIstioReleases } from '../../infra/plan/istio-release.ts';
import { describe as name } from '../../infra/kube/kube-object.ts';
import type { KubeObject } from '../../infra/kube/kube-object.ts';
import { planMesh } from '../../infra/plan/plan.ts';
import { isStored } from '../../infra/export/external-secret.ts';
import { waves } from '../../infra/kube/waves.ts';
import { waitFor } from '../../core/wait.ts';
import { ensureTools } from '../../toolchain/build.ts';
import { npm, root } from './checkout/cli.ts';
import { expectNoMesh, otherCheckout, type OtherCheckout } from './checkout/contexts.ts';
import { ensureUp, kubeconfig, kubectl, labPath, status } from './checkout/lab.ts';

const minute = 60_000;
const { model, rendered } = await synthMesh(root, 'lab');
const plan = planMesh(model, rendered);
const steps = plan.steps.filter(({ releases, objects }) => releases.length + objects.length > 0);
const folder = mkdtempSync(join(tmpdir(), 'meshwright-export-'));
const tree = join(folder, 'mesh');
let other: OtherCheckout;

/** As much of the operator's API as the tree needs; test/e2e stands in for the operator itself. */
const externalSecrets = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'externalsecrets.external-secrets.io' },
  spec: {
    group: 'external-secrets.io',
    scope: 'Namespaced',
    names: { kind: 'ExternalSecret', plural: 'externalsecrets', singular: 'externalsecret' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

const exported = () =>
  npm('export', [
    ...['--out', tree, '--secret-store', 'vault', '--format', 'argocd'],
    ...['--repo', 'https://git.example.com/gitops.git', '--path', 'mesh'],
  ]);

beforeAll(async () => {
  await ensureUp();
  other = otherCheckout();
  for (const cluster of plan.clusters) {
    kubectl(cluster, 'apply', '--server-side', '-f', '-', { input: JSON.stringify(externalSecrets) });
    kubectl(cluster, 'wait', '--for=condition=Established', `crd/${externalSecrets.metadata.name}`);
  }
}, 60 * minute);
afterAll(async () => {
  for (const cluster of plan.clusters) kubectl(cluster, 'delete', 'crd', externalSecrets.metadata.name);
  rmSync(folder, { recursive: true });
  other.remove();
  // As the other suites expect it.
  expect(await npm('up')).toMatchObject({ code: 0 });
}, 10 * minute);

/** A block of docs/gitops.md as a process in the tree, with the lab's programs and contexts. */
function documented(block: number, variables: NodeJS.ProcessEnv = {}): ChildProcess {
  const blocks = [...readFileSync(join(root, 'docs/gitops.md'), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)];
  return spawn('bash', ['-euo', 'pipefail', '-c', blocks[block]![1]!], {
    cwd: tree,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      PATH: `${labPath()}:${process.env['PATH'] ?? ''}`,
      KUBECONFIG: kubeconfig,
      ...variables,
    },
  });
}

const kustomized = (path: string) =>
  parseAllDocuments(kubectl(plan.clusters[0]!, 'kustomize', path)).map(
    (document) => (document as { toJS(): unknown }).toJS() as KubeObject,
  );

test(
  'export writes the tree, says which secrets it leaves to the store, and then has nothing to do',
  async () => {
    const first = await exported();
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/mesh: \d+ files written, 0 removed, 0 unchanged$/m);
    for (const cluster of plan.clusters)
      expect(first.stdout).toContain(
        `  shop/${cluster}/cacerts (ca-cert.pem, ca-key.pem, cert-chain.pem, root-cert.pem) for istio-system/cacerts of ${cluster}\n`,
      );
    const again = await exported();
    expect(again.stdout).toMatch(/mesh: 0 files written, 0 removed, \d+ unchanged$/m);
  },
  2 * minute,
);

test(
  'kustomize makes of each folder what the plan applies, in its order',
  async () => {
    const { cacheDir, logsDir } = thisWorkspace();
    const report = (line: string) => process.stderr.write(`${line}\n`);
    const { istioctl } = await ensureTools({ cacheDir, logsDir, sets: ['istio'], report });
    for (const { cluster, stage, secrets: all, releases, objects } of steps) {
      const secrets = all.filter(isStored);
      const istio = await renderIstioReleases(istioctl, releases, plan.mesh);
      const wanted = [...waves(istio).flat(), ...waves(objects).flat()];
      const found = kustomized(join(tree, cluster, stage));
      expect(found.slice(0, secrets.length).map(name)).toEqual(
        secrets.map((secret) => `ExternalSecret ${secret.namespace}/${secret.name}`),
      );
      const applied = found.slice(secrets.length);
      expect(applied.map(name)).toEqual(wanted.map(name));
      // The one difference: istiod waits for its CA.
      const optional = (object: KubeObject) =>
        name(object) === 'Deployment istio-system/istiod'
          ? (JSON.parse(
              JSON.stringify(object).replace(
                /("name":"cacerts","secret":\{)"optional":(true|false),/,
                '$1"optional":"?",',
              ),
            ) as KubeObject)
          : object;
      expect(applied.map(optional)).toEqual(wanted.map(optional));
    }
  },
  2 * minute,
);

test(
  'the patches of the ApplicationSet annotate what they are meant for, and nothing else',
  () => {
    const { spec } = parse(readFileSync(join(tree, 'applicationset.yaml'), 'utf8')) as {
      spec: { template: { spec: { source: { kustomize: { patches: readonly object[] } } } } };
    };
    const { patches } = spec.template.spec.source.kustomize;
    for (const { cluster, stage } of steps) {
      const overlay = mkdtempSync(join(folder, 'overlay-'));
      cpSync(join(tree, cluster, stage), join(overlay, 'base'), { recursive: true });
      writeFileSync(join(overlay, 'kustomization.yaml'), JSON.stringify({ resources: ['base'], patches }));
      for (const object of kustomized(overlay)) {
        const annotations = Object.entries(object.metadata.annotations ?? {}).filter(([key]) =>
          key.startsWith('argocd.'),
        );
        const wanted: Readonly<Record<string, readonly string[]>> = {
          Namespace: ['argocd.argoproj.io/sync-options', 'Prune=false,Delete=false'],
          CustomResourceDefinition: ['argocd.argoproj.io/sync-options', 'Prune=false,Delete=false'],
        };
        expect([name(object), annotations]).toEqual([
          name(object),
          wanted[object.kind] === undefined ? [] : [wanted[object.kind]],
        ]);
      }
    }
  },
  2 * minute,
);

/** What the store holds, by key and property; filled as docs/gitops.md says. */
const store = new Map<string, Readonly<Record<string, string>>>();

interface ExternalSecret extends KubeObject {
  readonly spec: {
    readonly target: {
      readonly name: string;
      readonly template: { type: string; metadata: object; data?: Readonly<Record<string, string>> };
    };
    readonly data: readonly {
      readonly secretKey: string;
      readonly remoteRef: { readonly key: string; readonly property: string };
    }[];
  };
}

/** What the external-secrets operator does with the ExternalSecrets of a cluster. */
function fetchSecrets(cluster: string): void {
  const { items } = JSON.parse(
    kubectl(cluster, 'get', 'externalsecrets.external-secrets.io', '--all-namespaces', '--output', 'json'),
  ) as { items: readonly ExternalSecret[] };
  for (const { metadata, spec } of items) {
    const { type, metadata: labels, data: templates } = spec.target.template;
    const values = Object.fromEntries(
      spec.data.map(({ secretKey, remoteRef }) => [
        secretKey,
        store.get(remoteRef.key)?.[remoteRef.property] ?? '',
      ]),
    );
    if (Object.values(values).includes('')) continue;
    const stringData = templates
      ? Object.fromEntries(
          Object.entries(templates).map(([key, template]) => [
            key,
            template.replaceAll(/\{\{ \.(\w+)( \| b64enc)? \}\}/g, (_, value: string, encoded?: string) =>
              encoded ? Buffer.from(values[value]!).toString('base64') : values[value]!,
            ),
          ]),
        )
      : values;
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: spec.target.name, namespace: metadata.namespace, ...labels },
      type,
      stringData,
    };
    kubectl(cluster, 'apply', '--server-side', '--field-manager=external-secrets', '-f', '-', {
      input: JSON.stringify(secret),
    });
  }
}

/** What the three commands of docs/gitops.md say of a cluster; undefined until its control plane is there. */
async function readAccess(cluster: string): Promise<Readonly<Record<string, string>> | undefined> {
  const commands = documented(0, { CLUSTER: cluster });
  const [printed] = await Promise.all([text(commands.stdout!), once(commands, 'close')]);
  const [, server, ca, token] =
    /^(https:\S+?)(-----BEGIN[^]*-----END CERTIFICATE-----\n?)(\S+)\s*$/.exec(printed) ?? [];
  return server && ca && token ? { server, ca, token } : undefined;
}

/** The CA that a cluster has, as the files of its Secret. */
function readAuthority(cluster: string): Readonly<Record<string, string>> {
  const { data } = JSON.parse(
    kubectl(cluster, '-n', 'istio-system', 'get', 'secret', 'cacerts', '-o', 'json'),
  ) as { data: Readonly<Record<string, string>> };
  return Object.fromEntries(
    Object.entries(data).map(([file, value]) => [file, Buffer.from(value, 'base64').toString('utf8')]),
  );
}

const podsOf = (cluster: string) =>
  kubectl(
    cluster,
    '-n',
    'istio-system',
    'get',
    'pods',
    '-l',
    'app=istiod',
    '-o',
    'jsonpath={.items[*].status.phase}',
  );

test(
  'the API servers take every folder of the tree',
  () => {
    for (const { cluster, stage } of steps) {
      const printed = kubectl(
        cluster,
        ...['apply', '--server-side', '--force-conflicts', '--field-manager=meshwright'],
        ...['--dry-run=server', '--validate=strict', '--kustomize', join(tree, cluster, stage)],
      );
      expect(printed.trim().split('\n')).toHaveLength(kustomized(join(tree, cluster, stage)).length);
    }
  },
  2 * minute,
);

test(
  'the tree alone, applied as documented, makes a mesh of empty clusters',
  async () => {
    const authorities = plan.clusters.map((cluster) => [cluster, readAuthority(cluster)] as const);
    // Another checkout takes the mesh, which it finds as declared, and removes it.
    expect(await npm('up', other.flags, other.env)).toMatchObject({ code: 0 });
    expect(await npm('down', [], other.env)).toMatchObject({ code: 0 });
    expectNoMesh();

    const loop = documented(1);
    const finished = Promise.all([text(loop.stdout!), once(loop, 'close')]);
    try {
      // Without its CA istiod does not start, so it cannot make one of its own.
      for (const cluster of plan.clusters) {
        await waitFor({ what: `istiod of ${cluster} asked for`, timeoutMs: 3 * minute }, () =>
          Promise.resolve(
            podsOf(cluster) === '' ? { done: false, because: 'no pod' } : { done: true, value: true },
          ),
        );
        expect(podsOf(cluster)).toBe('Pending');
      }
      for (const [cluster, cacerts] of authorities) {
        store.set(`shop/${cluster}/cacerts`, cacerts);
        fetchSecrets(cluster);
      }
      for (const { cluster, secrets } of steps) {
        for (const secret of secrets) {
          if (secret.kind !== 'remote-secret') continue;
          // The account of the other clusters' control planes is applied after istiod.
          const what = `the access that ${cluster} gets to ${secret.of}`;
          const read = await waitFor({ what, timeoutMs: 3 * minute }, async () => {
            const value = await readAccess(secret.of);
            return value ? { done: true, value } : { done: false, because: 'it is not granted yet' };
          });
          store.set(`shop/${cluster}/${secret.name}`, read);
        }
      }
      for (const cluster of plan.clusters) {
        await waitFor(
          { what: `ExternalSecrets of the gateways' stage of ${cluster}`, timeoutMs: 3 * minute },
          () => {
            const names = kubectl(cluster, 'get', 'externalsecrets.external-secrets.io', '-A', '-o', 'name');
            return Promise.resolve(
              names.includes('remote') ? { done: true, value: true } : { done: false, because: names },
            );
          },
        );
        fetchSecrets(cluster);
      }
      const [, [code]] = (await finished) as [string, [number | null]];
      expect(code).toBe(0);
    } finally {
      loop.kill();
    }

    await waitFor({ what: 'calls between the clusters', timeoutMs: 2 * minute }, async () => {
      const { ok } = (await status()).crossCluster;
      return ok ? { done: true, value: ok } : { done: false, because: 'status says no' };
    });

    // Neither what the store holds, nor any token, is in the tree.
    const content = readdirSync(tree, { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(yaml|json)$/.test(path))
      .map((path) => readFileSync(join(tree, path), 'utf8'))
      .join('\n');
    expect(store.size).toBe(2 * plan.clusters.length);
    for (const value of [...store.values()].flatMap((properties) => Object.values(properties)))
      for (const line of value.split('\n').filter((line) => line !== '' && !line.startsWith('-----')))
        expect(content.includes(line)).toBe(false);
    // Descriptors that no gateway mounts any more go as documented, and nothing else.
    const [cluster = ''] = plan.clusters;
    const maps = () => kubectl(cluster, 'get', 'configmaps', '--namespace', 'shop', '--output', 'name');
    const before = maps();
    const former = ['configmap', 'edge-descriptors-0000000000', '--namespace', 'shop'];
    kubectl(cluster, 'create', ...former);
    kubectl(cluster, 'label', ...former, 'app.kubernetes.io/managed-by=meshwright');
    expect(await once(documented(2), 'exit')).toEqual([0, null]);
    expect(maps()).toBe(before);
  },
  20 * minute,
);
