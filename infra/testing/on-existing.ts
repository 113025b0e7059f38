import { ProblemsError } from '../../core/problem.ts';
import { labelManaged } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { planMesh } from '../plan/plan.ts';
import { parseConfig } from '../plan/stack-config.ts';
import { preflightMesh } from '../preflight/preflight.ts';
import { addForeignIstio } from './foreign-istio.ts';
import type { ForeignIstio } from './foreign-istio.ts';
import { KubeApi } from './kube-api.ts';
import { modelOnExisting } from './models.ts';

/** The clusters that {@link OnExisting} has. */
export const names = ['east', 'west'] as const;
type Name = (typeof names)[number];
type Existing = NonNullable<Parameters<typeof modelOnExisting>[1]>;

export const object = (
  apiVersion: string,
  kind: string,
  metadata: KubeObject['metadata'],
  body: object = {},
) => ({ apiVersion, kind, metadata, ...body }) as KubeObject;
export const namespaceOf = (name: string, labels: Readonly<Record<string, string>> = {}) =>
  object('v1', 'Namespace', { name, labels });
/** A workload of the mesh `shop`. */
export const workload = (namespace: string) =>
  labelManaged(
    object(
      'apps/v1',
      'Deployment',
      { name: 'catalog', namespace },
      { spec: { template: { metadata: { labels: { app: 'catalog' } } } } },
    ),
    'shop',
  );

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

  store(cluster: Name, one: KubeObject): void {
    this.apis[cluster].put({ ...one, metadata: { ...one.metadata } });
  }

  /** The message that preflight refuses the mesh with, exit code 2; `fine` where it does not. */
  async said(existing: Existing = {}, earlierNamespaces: readonly string[] = []): Promise<string> {
    const rendered = names.map((cluster) => ({
      ...{ cluster, stage: '50-workloads' as const, path: '', yaml: '' },
      objects: [
        labelManaged(namespaceOf('shop'), 'shop'),
        ...['shop', ...(existing.sharedNamespaces ?? [])].map(workload),
      ],
    }));
    const plan = planMesh(modelOnExisting(names, existing), rendered);
    const clusters = Object.fromEntries(
      names.map((name) => [name, { kubeconfig: this.apis[name].kubeconfig, context: name }]),
    );
    const warn = (line: string) => this.warnings.push(line);
    // No folder of trust: nothing of it is read or made.
    const options = { ...parseConfig({ clusters, trustDir: '/nowhere' }, '/', 'test'), earlierNamespaces, warn };
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
