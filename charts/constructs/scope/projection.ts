import { App, ApiObject, Chart, JsonPatch } from 'cdk8s';
import type { GroupVersionKind } from 'cdk8s';
import type { Construct } from 'constructs';
import { keysOf, unknownKeys } from '../../../core/keys.ts';
import type { Problem } from '../../../core/problem.ts';
import { labelsOf, nameLabel } from '../../model/labels.ts';
import type { Differs, RenderedObject, Undone } from '../../model/rendered.ts';
import type { KubernetesObject } from '../../model/mesh-model.ts';
import { stages } from '../../model/stage.ts';
import type { StageName } from '../../model/stage.ts';
import { istioModels } from '../../model/istio-models.ts';
import type { IstioKind, IstioSpec } from '../../model/istio-models.ts';
import type { Cluster } from './cluster.ts';
import { differsByRevision, labelPods } from './revisions.ts';

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
  /** In what the clusters may differ. @default - in nothing: synth refuses an object that is not the same in all */
  readonly differs?: Differs;
}

const metadataKeys = keysOf<Metadata>({
  name: true,
  namespace: true,
  app: true,
  labels: true,
  annotations: true,
  differs: true,
});
const differsKeys = keysOf<Differs>({ because: true, clusters: true, paths: true });

/** What is made of an object that a class of cdk8s writes. */
export interface Reworked {
  readonly object: KubernetesObject;
  /** Fields in which clusters may differ by it. */
  readonly paths: readonly (readonly string[])[];
  readonly undone: readonly Undone[];
  readonly problems: readonly Problem[];
}

interface Added {
  readonly object: ApiObject;
  readonly where: string;
  readonly differs: Differs | undefined;
  readonly custom: boolean;
  readonly own: boolean;
  /** Of what is written. */
  readonly patches?: readonly JsonPatch[];
  /** What is made of that. */
  readonly reworked?: Reworked;
}

type PreparePods = (object: KubernetesObject, cluster: Cluster) => KubernetesObject;

type ObjectClass<P> = (new (scope: Construct, id: string, props: P) => ApiObject) & {
  readonly GVK: GroupVersionKind;
};

/**
 * One cluster's share of a mesh while it is rendered: a cdk8s chart per stage, without dependencies between them.
 * Every object gets the recommended labels, and its pods the revision of the control plane that their namespace belongs to;
 * names are explicit, never generated.
 */
export class Projection {
  readonly cluster: Cluster;
  /** Path of the construct that is adding its objects. */
  where = '';
  /** Whether that is none of the library's. */
  own = false;
  /** What is wrong with what constructs add: objects that two of them add, the later in the place of the other, and unknown keys. */
  readonly problems: Problem[] = [];
  readonly #owners = new Map<string, string>();
  readonly #added = new Map<StageName, Added[]>();
  readonly #charts: ReadonlyMap<StageName, Chart>;
  readonly #labels: Readonly<Record<string, string>>;
  readonly #preparePods: PreparePods;

  /**
   * @param preparePods - gives an object with the pods it makes what those get by the control plane that they belong to
   */
  constructor(mesh: string, cluster: Cluster, preparePods: PreparePods = labelPods) {
    this.cluster = cluster;
    const app = new App();
    const labels = labelsOf(mesh);
    this.#labels = labels;
    this.#preparePods = preparePods;
    this.#charts = new Map(
      stages.map((stage) => [stage, new Chart(app, stage, { labels, disableResourceNameHashes: true })]),
    );
  }

  /**
   * Adds an object of Kubernetes' own, by its class in cdk8s-plus' `k8s`.
   * @param patches - of what the class writes, for fields that it does not know, which it would leave out. @default - none
   * @param rework - what is made of that. @default - nothing else
   */
  add<P extends object>(
    stage: StageName,
    kind: ObjectClass<P>,
    metadata: Metadata,
    props: Omit<P, 'metadata'>,
    patches: readonly JsonPatch[] = [],
    rework?: (written: KubernetesObject) => Reworked,
  ): void {
    if (!this.#claim(kind.GVK, metadata, this.where, props)) return;
    const named = { metadata: labelled(metadata), ...props } as unknown as P;
    const object = new kind(this.#chart(stage), objectId(kind.name, metadata), named);
    const lost = lostKeys(props, object.toJson());
    for (const received of lost) {
      const what = `the ${kind.GVK.kind} ${objectTitle(metadata)} has a key that its kind does not know`;
      this.problems.push({ where: this.where, what, received, fix: 'correct or remove it' });
    }
    const { where, own } = this;
    const added = { object, where, differs: metadata.differs, custom: false, own, patches };
    const reworked = rework?.(writtenBy(added));
    this.problems.push(...(reworked?.problems ?? []));
    this.#note(stage, { ...added, ...(reworked && { reworked }) });
  }

  /**
   * Adds an Istio resource.
   * @param where - path of the construct it comes from, for problems
   */
  addIstio<K extends IstioKind>(
    stage: StageName,
    where: string,
    kind: K,
    metadata: Metadata,
    spec: IstioSpec<K>,
  ): void {
    const { apiVersion } = istioModels[kind];
    this.#addObject(stage, { apiVersion, kind }, metadata, { spec }, where, false);
  }

  /**
   * Adds an object of any kind, such as a custom resource. Where no schema is at hand for it, none is asked for.
   * @param body - what stands beside the metadata
   */
  addCustom(stage: StageName, type: GroupVersionKind, metadata: Metadata, body: object): void {
    this.#addObject(stage, type, metadata, body, this.where, true);
  }

  /** Labels of an application's pods: pod templates do not get an object's labels by themselves. */
  podLabels(app: string): Readonly<Record<string, string>> {
    return { ...this.#labels, [nameLabel]: app };
  }

  /** A stage's objects, ordered by namespace, name and kind: not by who was declared first. */
  objects(stage: StageName): readonly RenderedObject[] {
    // Not by the chart: it would infer the order of all charts' objects anew for each of them.
    return (this.#added.get(stage) ?? [])
      .map((added) => {
        const { where, differs, custom, own, reworked } = added;
        const data = this.#preparePods(reworked?.object ?? writtenBy(added), this.cluster);
        const allowed = differsByRevision(data.kind, withPaths(differs, reworked?.paths ?? []));
        const undone = reworked === undefined ? {} : { undone: reworked.undone };
        const marked = { custom, ...(own ? { own } : {}), ...undone };
        return { cluster: this.cluster.name, where, object: data, differs: allowed, ...marked };
      })
      .map((rendered) => ({ rendered, key: sortKey(rendered.object) }))
      .sort((a, b) => compare(a.key, b.key))
      .map(({ rendered }) => rendered);
  }

  #addObject(
    stage: StageName,
    type: GroupVersionKind,
    metadata: Metadata,
    body: object,
    where: string,
    custom: boolean,
  ): void {
    if (!this.#claim(type, metadata, where, body)) return;
    const props = { ...type, metadata: labelled(metadata), ...body };
    const object = new ApiObject(this.#chart(stage), objectId(type.kind, metadata), props);
    this.#note(stage, { object, where, differs: metadata.differs, custom, own: this.own });
  }

  /** Whether no construct has added the object, in whatever stage, and it can be written. */
  #claim({ apiVersion, kind }: GroupVersionKind, metadata: Metadata, where: string, body: object): boolean {
    const { namespace, name } = metadata;
    const key = [apiVersion, kind, namespace ?? '', name].join(' ');
    const owner = this.#owners.get(key);
    const title = `${kind} ${objectTitle(metadata)}`;
    this.problems.push(
      ...unknownKeys(`${where}: ${title}: metadata`, metadata, metadataKeys),
      ...unknownKeys(`${where}: ${title}: metadata.differs`, metadata.differs, differsKeys),
    );
    const unwritable = keyOf([metadata, body], ['constructor', '__proto__']);
    if (unwritable !== undefined) {
      const what = `the ${title} has a key that cdk8s cannot write`;
      this.problems.push({ where, what, received: unwritable, fix: 'choose another name' });
      return false;
    }
    if (owner === undefined) {
      this.#owners.set(key, where);
      return true;
    }
    this.problems.push({ where, what: `adds the ${title}, as does ${owner}`, fix: 'rename one of them' });
    return false;
  }

  #note(stage: StageName, added: Added): void {
    const known = this.#added.get(stage);
    if (known === undefined) this.#added.set(stage, [added]);
    else known.push(added);
  }

  #chart(stage: StageName): Chart {
    const chart = this.#charts.get(stage);
    if (chart === undefined) throw new Error(`no stage ${stage}`);
    return chart;
  }
}

function writtenBy({ object, patches = [] }: Pick<Added, 'object' | 'patches'>): KubernetesObject {
  const written: unknown = object.toJson();
  return (patches.length === 0 ? written : JsonPatch.apply(written, ...patches)) as KubernetesObject;
}

function withPaths(differs: Differs | undefined, paths: Reworked['paths']): Differs | undefined {
  if (paths.length === 0) return differs;
  const because = differs?.because ?? 'the declaration says so';
  return { ...differs, because, paths: [...(differs?.paths ?? []), ...paths] };
}

function objectTitle({ namespace, name }: Metadata): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/**
 * Paths of the keys of cdk8s' properties that are not in what it writes: those that its class for the kind does not know, which
 * it leaves out without a word. It spells some otherwise: `clusterIp` as `clusterIP`.
 */
function lostKeys(props: unknown, written: unknown, path: readonly string[] = []): readonly string[] {
  if (typeof props !== 'object' || props === null || typeof written !== 'object' || written === null)
    return [];
  // A quantity, or a number or text, is written as what it stands for.
  if (!Array.isArray(props) && Object.getPrototypeOf(props) !== Object.prototype) return [];
  const spelled = (key: string) => key.replaceAll(/[^\da-z]/gi, '').toLowerCase();
  const found = new Map(Object.entries(written).map(([key, value]) => [spelled(key), value as unknown]));
  return Object.entries(props).flatMap(([key, value]: [string, unknown]) => {
    if (value === undefined || value === null) return [];
    const at = [...path, key];
    return found.has(spelled(key)) ? lostKeys(value, found.get(spelled(key)), at) : [at.join('.')];
  });
}

/** The first of some keys that a value has, however deep. */
function keyOf(value: unknown, keys: readonly string[]): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const found = keys.find((key) => Object.hasOwn(value, key));
  if (found !== undefined) return found;
  for (const inner of Object.values(value)) {
    const deeper = keyOf(inner, keys);
    if (deeper !== undefined) return deeper;
  }
  return undefined;
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
