import { App, ApiObject, Chart } from 'cdk8s';
import type { GroupVersionKind } from 'cdk8s';
import type { Construct } from 'constructs';
import type { Problem } from '../../core/problem.ts';
import type { KubernetesObject } from '../model.ts';
import { stages } from '../stage.ts';
import type { StageName } from '../stage.ts';
import { istioModels } from './istio-models.ts';
import type { IstioKind, IstioSpec } from './istio-models.ts';
import type { Cluster } from './mesh.ts';
import { managedByLabel, manager, nameLabel, partOfLabel } from './names.ts';

/** Name and labels of an object; `app` becomes the recommended name label and is the name unless given. */
export interface Metadata {
  readonly name: string;
  /** @default - none, for a cluster-scoped object */
  readonly namespace?: string;
  /** @default - `name` */
  readonly app?: string;
  /** @default - none but the recommended ones */
  readonly labels?: Readonly<Record<string, string>>;
  /** @default - none */
  readonly annotations?: Readonly<Record<string, string>>;
}

type ObjectClass<P> = new (scope: Construct, id: string, props: P) => ApiObject;

/**
 * One cluster's share of a mesh while it is rendered: a cdk8s chart per stage, without dependencies between them.
 * Every object gets the recommended labels; names are explicit, never generated.
 */
export class Projection {
  readonly cluster: Cluster;
  /** What the schemas of Istio's resources found wrong. */
  readonly problems: Problem[] = [];
  readonly #charts: ReadonlyMap<StageName, Chart>;
  readonly #labels: Readonly<Record<string, string>>;

  constructor(mesh: string, cluster: Cluster) {
    this.cluster = cluster;
    const app = new App();
    const labels = { [managedByLabel]: manager, [partOfLabel]: mesh };
    this.#labels = labels;
    this.#charts = new Map(
      stages.map((stage) => [stage, new Chart(app, stage, { labels, disableResourceNameHashes: true })]),
    );
  }

  /** Adds an object of Kubernetes' own, by its class in cdk8s-plus' `k8s`. */
  add<P extends object>(
    stage: StageName,
    kind: ObjectClass<P>,
    metadata: Metadata,
    props: Omit<P, 'metadata'>,
  ): void {
    const named = { metadata: labelled(metadata), ...props } as unknown as P;
    new kind(this.#chart(stage), objectId(kind.name, metadata), named);
  }

  /**
   * Adds an Istio resource, checked against the schema of its CRD.
   * @param where - path of the construct it comes from, for problems
   */
  addIstio<K extends IstioKind>(
    stage: StageName,
    where: string,
    kind: K,
    metadata: Metadata,
    spec: IstioSpec<K>,
  ): void {
    const { apiVersion, validate } = istioModels[kind];
    const resource = { metadata: labelled(metadata), spec };
    for (const what of validate(resource)) {
      this.problems.push({ where, what: `${kind} ${metadata.name}: ${what}` });
    }
    this.addCustom(stage, { apiVersion, kind }, metadata, { spec });
  }

  /** Adds a custom resource that no schema is at hand for. */
  addCustom(
    stage: StageName,
    type: GroupVersionKind,
    metadata: Metadata,
    body: { readonly spec: object },
  ): void {
    const props = { ...type, metadata: labelled(metadata), ...body };
    new ApiObject(this.#chart(stage), objectId(type.kind, metadata), props);
  }

  /** Labels of an application's pods: pod templates do not get an object's labels by themselves. */
  podLabels(app: string): Readonly<Record<string, string>> {
    return { ...this.#labels, [nameLabel]: app };
  }

  /** A stage's objects, ordered by namespace, name and kind: not by who was declared first. */
  objects(stage: StageName): readonly KubernetesObject[] {
    const objects = this.#chart(stage).toJson() as KubernetesObject[];
    return objects.sort((a, b) => compare(sortKey(a), sortKey(b)));
  }

  #chart(stage: StageName): Chart {
    const chart = this.#charts.get(stage);
    if (chart === undefined) throw new Error(`no stage ${stage}`);
    return chart;
  }
}

function sortKey({ kind, metadata }: KubernetesObject): string {
  return [metadata.namespace ?? '', metadata.name, kind].join(' ');
}

/** By code units: the same on every machine, whatever its language. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function labelled({ name, namespace, app, labels, annotations }: Metadata) {
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    labels: { [nameLabel]: app ?? name, ...labels },
    ...(annotations === undefined ? {} : { annotations }),
  };
}

function objectId(kind: string, { name, namespace }: Metadata): string {
  return [kind, namespace ?? '', name].join(' ');
}
