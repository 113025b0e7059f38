import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { npm } from './checkout/cli.ts';
import { otherCheckout, type OtherCheckout } from './checkout/contexts.ts';
import { ensureUp, kubeconfig, kubectl } from './checkout/lab.ts';

const minute = 60_000;

interface Kubeconfig {
  readonly clusters: { name: string; cluster: { server: string } }[];
  readonly users: { name: string; user: object }[];
  readonly contexts: { name: string; context: { cluster: string; user: string } }[];
}

interface Live {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly managedFields?: readonly { readonly subresource?: string }[];
  };
}

let folder: string;
let other: OtherCheckout;
beforeAll(async () => {
  await ensureUp();
  folder = mkdtempSync(join(tmpdir(), 'meshwright-inputs-'));
  other = otherCheckout();
}, 60 * minute);
afterAll(() => {
  rmSync(folder, { recursive: true });
  other.remove();
});

/** Writes a kubeconfig of the lab with the change made, and returns its path. */
function changed(change: (config: Kubeconfig) => void): string {
  const config = parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
  change(config);
  const path = join(folder, 'kubeconfig');
  writeFileSync(path, stringify(config), { mode: 0o600 });
  return path;
}

/**
 * What both clusters hold that an `up` could change, each with a hash of it: no events, leases, or locks of istiod's
 * leaders, and no status, which changes by itself.
 */
function everything(): string {
  const kinds =
    'namespaces,serviceaccounts,services,deployments.apps,daemonsets.apps,configmaps,secrets,' +
    'clusterroles,clusterrolebindings,roles,rolebindings,customresourcedefinitions,' +
    'mutatingwebhookconfigurations,validatingwebhookconfigurations,gateways.networking.istio.io,' +
    'virtualservices.networking.istio.io,destinationrules.networking.istio.io,authorizationpolicies.security.istio.io';
  return ['east', 'west']
    .flatMap((cluster) => {
      const { items } = JSON.parse(
        kubectl(cluster, 'get', kinds, '-A', '--show-managed-fields', '-o', 'json'),
      ) as { readonly items: readonly Live[] };
      return items
        .filter(
          ({ metadata }) => metadata.annotations?.['control-plane.alpha.kubernetes.io/leader'] === undefined,
        )
        .map(({ metadata, ...object }) => {
          const managedFields = metadata.managedFields?.filter(({ subresource }) => subresource !== 'status');
          const declared = JSON.stringify({
            ...object,
            metadata: { ...metadata, managedFields, resourceVersion: undefined },
            status: undefined,
          });
          const hash = createHash('sha256').update(declared).digest('hex');
          return `${cluster} ${object.kind} ${metadata.namespace ?? ''}/${metadata.name} ${hash}`;
        });
    })
    .join('\n');
}

/** Runs `up` in the lab's clusters as if they were somebody's, and asserts that it changed nothing. */
async function refused(kubeconfigs: string, flags = other.flags): Promise<{ code: number; stderr: string }> {
  const before = everything();
  const env = { ...other.env, KUBECONFIG: kubeconfigs };
  const { code, stderr } = await npm('up', flags, env);
  expect(everything()).toBe(before);
  expect(existsSync(join(other.state, 'up.json'))).toBe(false);
  return { code, stderr };
}

describe('up says in one message what is wrong, and changes nothing,', () => {
  test(
    'when a cluster cannot be reached',
    async () => {
      const path = changed(({ clusters }) => {
        const west = clusters.find(({ name }) => name === 'west');
        if (west !== undefined) west.cluster.server = 'https://172.29.0.254:6443';
      });
      const { code, stderr } = await refused(path);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^cluster west: its API server https:\/\/172\.29\.0\.254:6443 cannot be reached: .*; fix: start the cluster or correct the address in the kubeconfig, then run the command again\n$/,
      );
    },
    3 * minute,
  );

  test('when both contexts reach one cluster', async () => {
    const path = changed(({ contexts }) => {
      contexts.push({ name: 'again', context: { cluster: 'east', user: userOf(contexts, 'east') } });
    });
    const { code, stderr } = await refused(path, ['--context', 'east=east', '--context', 'west=again']);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /cluster west: context again reaches the same Kubernetes cluster as context east of east; received "https:\/\/\S+"; allowed a Kubernetes cluster of its own for each cluster of the mesh; fix: name another context with --context west=CONTEXT\n/,
    );
  });

  test('when the credentials may only read', async () => {
    kubectl('east', 'create', 'serviceaccount', 'reader', '-n', 'default');
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: 'test-reader' } };
    const rules = [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] }];
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'test-reader' };
    const subjects = [{ kind: 'ServiceAccount', name: 'reader', namespace: 'default' }];
    for (const object of [
      { ...rbac, kind: 'ClusterRole', rules },
      { ...rbac, kind: 'ClusterRoleBinding', roleRef, subjects },
    ])
      kubectl('east', 'apply', '-f', '-', { input: JSON.stringify(object) });
    try {
      const token = kubectl('east', 'create', 'token', 'reader', '-n', 'default').trim();
      const path = changed(({ users, contexts }) => {
        users.push({ name: 'reader', user: { token } });
        contexts.push({ name: 'read-only', context: { cluster: 'east', user: 'reader' } });
      });
      const { code, stderr } = await refused(path, ['--context', 'east=read-only', '--context', 'west=west']);
      expect(code).toBe(2);
      expect(stderr.trim().split('\n')).toEqual([
        expect.stringMatching(
          /^cluster east: the credentials of context read-only lack these permissions: create, patch, delete on authorizationpolicies\.security\.istio\.io, .* gateways\.networking\.istio\.io, .* in istio-eastwest, istio-ingress, istio-system, shop; .*; create, delete on pods in istio-eastwest, istio-ingress, istio-system, shop; create, delete on pods in default; create on pods\/exec in istio-eastwest, istio-ingress, istio-system, shop; create, patch, delete on secrets in istio-system; create on serviceaccounts\/token \(istio-remote-reader\) in istio-system; create on tokenreviews\.authentication\.k8s\.io; fix: use credentials with the ClusterRole cluster-admin, or have these permissions granted$/,
        ),
      ]);
      expect(stderr).not.toContain(token);
    } finally {
      kubectl('east', 'delete', 'clusterrolebinding', 'test-reader');
      kubectl('east', 'delete', 'clusterrole', 'test-reader');
      kubectl('east', 'delete', 'serviceaccount', 'reader', '-n', 'default');
    }
  });

  test('when somebody else has an Istio and a webhook that nobody answers', async () => {
    const apply = (object: object) => kubectl('west', 'apply', '-f', '-', { input: JSON.stringify(object) });
    const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }];
    const configuration = (name: string, webhook: object) => ({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name },
      webhooks: [
        {
          rules,
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
          clientConfig: { service: { namespace: 'default', name: 'nobody' } },
          ...webhook,
        },
      ],
    });
    const nowhere = { matchLabels: { 'kubernetes.io/metadata.name': 'nowhere' } };
    apply(
      configuration('elsewhere', {
        name: 'rev.namespace.sidecar-injector.istio.io',
        failurePolicy: 'Ignore',
        namespaceSelector: nowhere,
      }),
    );
    const shop = { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } };
    apply(
      configuration('silent', {
        name: 'pods.silent.example',
        failurePolicy: 'Fail',
        namespaceSelector: shop,
      }),
    );
    try {
      const { code, stderr } = await refused(kubeconfig);
      expect(code).toBe(2);
      expect(stderr).toBe(
        'west: MutatingWebhookConfiguration elsewhere: belongs to an Istio that meshwright did not install; fix: declare platform: existing({ ... }) to run on it, uninstall it first, or use another cluster\n' +
          'west: MutatingWebhookConfiguration silent: its webhook pods.silent.example matches pods of this mesh, and its Service default/nobody has no endpoint: no pod could be created; fix: restore the workload that serves it, delete the webhook if that workload is gone, or exclude the namespaces of the mesh in its namespaceSelector\n',
      );
    } finally {
      kubectl('west', 'delete', 'mutatingwebhookconfiguration', 'elsewhere', 'silent');
    }
  });
});

function userOf(contexts: Kubeconfig['contexts'], name: string): string {
  return contexts.find((context) => context.name === name)?.context.user ?? '';
}
