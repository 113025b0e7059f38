import { keysOf, unknownKeys } from '../../../core/keys.ts';
import { isSubdomain, nearest, subdomainRule } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';
import { labelsOf, nameLabel } from '../../model/labels.ts';
import type { Differs } from '../../model/rendered.ts';
import { stages, type StageName } from '../../model/stage.ts';
import { given, MeshConstruct, Namespace, refuseScope } from './mesh-construct.ts';
import type { Mesh } from './mesh-construct.ts';
import type { Projection } from './projection.ts';

/** Properties of an {@link OwnObject}. */
export interface OwnObjectProps<C extends string> {
  /** As Kubernetes writes it, without `name` and `namespace`: those are the construct's. */
  readonly object: OwnManifest;
  /** When it is applied: what a stage has is there before the next one. @default 40-services, before workloads */
  readonly stage?: StageName;
  /** Clusters that have it. @default - every cluster */
  readonly placement?: readonly NoInfer<C>[];
}

/** A Kubernetes object of any kind. */
export interface OwnManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

const propKeys = keysOf<OwnObjectProps<string>>({ object: true, stage: true, placement: true });
const metadataKeys = ['labels', 'annotations'];

/**
 * A Kubernetes object of one's own beside the constructs, such as a ConfigMap, a PriorityClass or a custom resource of any shape. In a namespace of the mesh, or,
 * in the mesh itself, outside of namespaces. It is rendered, applied and removed as everything else is, and all gates look at it; a kind with a schema is held to that.
 */
export class OwnObject<C extends string> extends MeshConstruct<C> {
  readonly mesh: Mesh<C>;
  readonly name: string;
  /** None: it stands outside of namespaces. */
  readonly namespace: Namespace<C> | undefined;
  readonly #props: OwnObjectProps<C>;

  constructor(scope: Namespace<C> | Mesh<C>, name: string, props: OwnObjectProps<C>) {
    super(scope, name);
    const isNamespace = scope instanceof Namespace;
    refuseScope(isNamespace || 'ingress' in scope, this.where, scope, 'the mesh or a namespace of it');
    this.mesh = isNamespace ? scope.mesh : scope;
    this.namespace = isNamespace ? scope : undefined;
    this.name = name;
    this.#props = given(props);
  }

  override problems(): readonly Problem[] {
    const { where, name } = this;
    const { object, stage, placement } = this.#props as unknown as Readonly<Record<string, unknown>>;
    const clusters = this.mesh.clusters.map((cluster) => cluster.name as string);
    return [
      ...(typeof name === 'string' && isSubdomain(name)
        ? []
        : [{ where, what: 'the name of the object is not valid', received: name, allowed: subdomainRule }]),
      ...unknownKeys(where, this.#props, propKeys),
      ...(stage === undefined || stages.some((one) => one === stage)
        ? []
        : [
            {
              where: `${where}: stage`,
              what: 'there is no such stage',
              received: stage,
              allowed: stages.join(', '),
            },
          ]),
      ...placementProblems(`${where}: placement`, placement, clusters),
      ...objectProblems(`${where}: object`, object),
    ];
  }

  override project(into: Projection): void {
    const { object, stage = '40-services', placement } = this.#props;
    const clusters = placement ?? this.mesh.clusters.map((cluster) => cluster.name);
    if (!clusters.some((cluster) => cluster === into.cluster.name)) return;
    const { apiVersion, kind, metadata, ...body } = object;
    const differs: Differs | undefined =
      placement === undefined ? undefined : { because: 'its placement says so', clusters: placement };
    into.addCustom(
      stage,
      { apiVersion, kind },
      {
        name: this.name,
        ...(this.namespace === undefined ? {} : { namespace: this.namespace.name }),
        ...(metadata?.labels === undefined ? {} : { labels: metadata.labels }),
        ...(metadata?.annotations === undefined ? {} : { annotations: metadata.annotations }),
        ...(differs === undefined ? {} : { differs }),
      },
      body,
    );
  }
}

function placementProblems(
  where: string,
  placement: unknown,
  clusters: readonly string[],
): readonly Problem[] {
  if (placement === undefined) return [];
  const allowed = clusters.join(', ');
  if (!Array.isArray(placement) || placement.length === 0) {
    return [{ where, what: 'is not a list of clusters', received: placement, allowed }];
  }
  return placement.flatMap((received: unknown): Problem[] => {
    if (clusters.some((cluster) => cluster === received)) return [];
    const near = nearest(received, clusters);
    const fix = near === undefined ? {} : { fix: `did you mean ${near}?` };
    return [{ where, what: 'the mesh has no such cluster', received, allowed, ...fix }];
  });
}

function objectProblems(where: string, object: unknown): readonly Problem[] {
  const allowed = 'a Kubernetes object: { apiVersion, kind, ... }';
  if (!isMapping(object)) return [{ where, what: 'is not an object', received: object, allowed }];
  const { metadata } = object;
  if (object['kind'] === 'Namespace' && object['apiVersion'] === 'v1') {
    const what = 'is a namespace, whose labels say what its pods may do';
    return [{ where, what, fix: 'use mesh.namespace(NAME), with podSecurity for another level' }];
  }
  const texts = (['apiVersion', 'kind'] as const).flatMap((key): Problem[] => {
    const received = object[key];
    if (typeof received === 'string' && received !== '') return [];
    return [{ where: `${where}.${key}`, what: 'is not a text', received, allowed }];
  });
  if (metadata === undefined) return texts;
  if (!isMapping(metadata)) {
    return [
      ...texts,
      {
        where: `${where}.metadata`,
        what: 'is not an object',
        received: metadata,
        allowed: '{ labels, annotations }',
      },
    ];
  }
  const own = Object.keys({ ...labelsOf(''), [nameLabel]: '' });
  return [
    ...texts,
    ...unknownKeys(`${where}.metadata`, metadata, metadataKeys),
    ...metadataKeys.flatMap((key) => textProblems(`${where}.metadata.${key}`, metadata[key])),
    ...Object.keys(isMapping(metadata['labels']) ? metadata['labels'] : {})
      .filter((label) => own.includes(label))
      .map((label) => ({
        where: `${where}.metadata.labels.${label}`,
        what: 'is a label by which the mesh knows its objects',
        fix: 'remove it',
      })),
  ];
}

function textProblems(where: string, value: unknown): readonly Problem[] {
  if (value === undefined) return [];
  if (!isMapping(value))
    return [{ where, what: 'is not an object', received: value, allowed: 'texts by name' }];
  return Object.entries(value).flatMap(([key, received]): Problem[] =>
    typeof received === 'string' ? [] : [{ where: `${where}.${key}`, what: 'is not a text', received }],
  );
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
