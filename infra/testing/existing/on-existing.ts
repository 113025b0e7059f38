import { injectionLabels } from '../../../charts/constructs/scope/revisions.ts';
import { ProblemsError } from '../../../core/problem.ts';
import { labelManaged } from '../../kube/kube-object.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import { planMesh } from '../../plan/plan.ts';
import { parseConfig } from '../../plan/stack-config.ts';
import { preflightMesh } from '../../preflight/preflight.ts';
import { addForeignIstio, injectorOf } from './foreign-istio.ts';
import type { ForeignIstio } from './foreign-istio.ts';
import { KubeApi } from '../kube-api.ts';
import { modelOnExisting } from '../models.ts';

/** The clusters that {@link OnExisting} has. */
export const names = ['east', 'west'] as const;
type Name = (typeof names)[number];
/** What is declared beyond a workload in each namespace. */
interface Declared {
  /** @default - both */
  readonly clusters?: readonly Name[];
  /** In each cluster. */
  readonly objects?: readonly KubeObject[];
  /** That all clusters are on. @default - each has its own */
  readonly network?: string;
  /** Namespaces that earlier applies wrote in. @default - none */
  readonly earlier?: readonly string[];
}
type Existing = NonNullable<Parameters<typeof modelOnExisting>[1]>;

export const object = (
  apiVersion: string,
  kind: string,
  metadata: KubeObject['metadata'],
  body: object = {},
) => ({ apiVersion, kind, metadata, ...body }) as KubeObject;
export const namespaceOf = (name: string, labels: Readonly<Record<string, string>> = {}) =>
  object('v1', 'Namespace', { name, labels });
/** A workload of the mesh `shop`, whose pods ask for a proxy as synth has them. */
export const workload = (namespace: string, revision = 'prod') =>
  labelManaged(
    object(
      'apps/v1',
      'Deployment',
      { name: 'catalog', namespace },
      { spec: { template: { metadata: { labels: { app: 'catalog', ...asking(revision) } }, spec: {} } } },
    ),
    'shop',
  );

/** Labels of a pod that ask for a proxy of a revision. */
const asking = (revision: string) => ({
  'sidecar.istio.io/inject': 'true',
  ...(revision !== 'default' && { 'istio.io/rev': revision }),
});

/** Two clusters with an Istio of others, and what preflight says of the mesh `shop` on it. */
export class OnExisting {
  readonly apis: Readonly<Record<Name, KubeApi>>;
  readonly #root: string;
  /** Of the preflights since {@link renew}. */
  warnings: string[] = [];

  private constructor(apis: Readonly<Record<Name, KubeApi>>, root: string) {
    this.apis = apis;
    this.#root = root;
  }

  /** @param root - PEM of the root that both clusters trust */
  static async start(root: string): Promise<OnExisting> {
    const [east, west] = await Promise.all([KubeApi.start('east'), KubeApi.start('west')]);
    return new OnExisting({ east, west }, root);
  }

  async stop(): Promise<void> {
    await Promise.all(Object.values(this.apis).map((api) => api.stop()));
  }

  /** Gives both clusters an Istio as the mesh declares it, and nothing else. */
  renew(): void {
    this.warnings = [];
    for (const name of names) {
      this.apis[name].objects.clear();
      this.apis[name].requests.length = 0;
      this.addIstio(name);
    }
  }

  addIstio(cluster: Name, other: Partial<ForeignIstio> = {}): void {
    const knows = { east: 'synced', west: 'synced' };
    addForeignIstio(this.apis[cluster], { cluster, knows, root: this.#root, ...other });
  }

  /** Gives its Istio one more tag. */
  addTag(cluster: Name, tag: string): void {
    const [apiVersion, kind] = ['admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'];
    const labels = { 'istio.io/rev': '1-31-others', 'istio.io/tag': tag };
    const name = `istio-revision-tag-${tag}`;
    this.store(cluster, object(apiVersion, kind, { name, labels }, injectorOf(tag)));
  }

  store(cluster: Name, one: KubeObject): void {
    this.apis[cluster].put({ ...one, metadata: { ...one.metadata } });
  }

  /** The message that preflight refuses the mesh with, exit code 2; `fine` where it does not. */
  async said(existing: Existing = {}, declared: Declared = {}): Promise<string> {
    const { clusters = names, objects = [], network, earlier: earlierNamespaces = [] } = declared;
    const { revision = 'prod' } = existing;
    const rendered = clusters.map((cluster) => ({
      ...{ cluster, stage: '50-workloads' as const, path: '', yaml: '' },
      objects: [
        labelManaged(namespaceOf('shop', injectionLabels(revision)), 'shop'),
        ...['shop', ...(existing.sharedNamespaces ?? [])].map((name) => workload(name, revision)),
        ...objects,
      ],
    }));
    const model = modelOnExisting(clusters, existing);
    const on = model.clusters.map((cluster) => ({ ...cluster, network: network ?? cluster.network }));
    const plan = planMesh({ ...model, clusters: on }, rendered);
    const access = Object.fromEntries(
      clusters.map((name) => [name, { kubeconfig: this.apis[name].kubeconfig, context: name }]),
    );
    const warn = (line: string) => this.warnings.push(line);
    // No folder of trust: nothing of it is read or made.
    const settings = parseConfig({ clusters: access, trustDir: '/nowhere' }, '/', 'test');
    const options = { ...settings, earlierNamespaces, warn };
    let trust: object;
    try {
      ({ trust } = await preflightMesh(plan, options));
    } catch (error) {
      if (!(error instanceof ProblemsError) || error.exitCode !== 2) throw error;
      return error.message;
    }
    if (Object.keys(trust).length > 0) throw new Error('a CA was made');
    return fine;
  }
}

/** What {@link OnExisting.said} returns of a mesh that nothing is wrong with. */
export const fine = 'fine';
