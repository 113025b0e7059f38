import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { pathOf } from './constructs/access/authorization.ts';
import { HttpEdge } from './constructs/edge/http-edge.ts';
import type { Mesh } from './constructs/mesh.ts';
import type { Method } from './constructs/scope/method.ts';
import { reservedNamespaces } from './constructs/scope/names.ts';
import type { Metadata } from './constructs/traffic/props.ts';
import { Workload } from './constructs/workload/workload.ts';
import type { KubernetesObject } from './model/mesh-model.ts';
import { synthesize } from './synth.ts';
import type { RenderedStage } from './synth.ts';
import { objectOf, objectsOf } from './testing/mesh.ts';
import { withProject } from './testing/project.ts';
import { anyMesh, cacheName, declareMesh, edgeName, type DrawnMesh } from './testing/random-mesh.ts';
import { metadataPool, pick, type AnyService } from './testing/random-policy.ts';

/** What runs only where it is placed, and what says which cluster it is; so do the gateways' Services. */
const ofOneCluster = [
  'Deployment',
  'PodDisruptionBudget',
  'HorizontalPodAutoscaler',
  'IstioOperator',
  'ConfigMap',
];
const networkLabel = 'topology.istio.io/network';
const clusterLabel = 'topology.istio.io/cluster';

interface Destination {
  readonly destination: { readonly host: string; readonly subset?: string };
}
interface Route {
  readonly match?: readonly {
    readonly uri?: { readonly exact: string };
    readonly headers?: Metadata;
  }[];
  readonly route: readonly Destination[];
  readonly mirrors?: readonly Destination[];
  readonly timeout?: string;
  readonly retries?: { readonly attempts: number };
}
interface TcpRoute {
  readonly match: readonly [
    { readonly port: number; readonly sourceLabels?: Readonly<Record<string, string>> },
  ];
  readonly route: readonly [Destination];
}
interface Subset {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}
interface Policy {
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly rules: readonly {
    readonly from?: readonly { readonly source: { readonly principals: readonly string[] } }[];
    readonly to: readonly { readonly operation: { readonly paths?: readonly string[] } }[];
  }[];
}

/** What has to be the same in every cluster. */
function shared(rendered: readonly RenderedStage[], cluster: string): readonly KubernetesObject[] {
  return objectsOf(rendered, cluster)
    .filter(
      ({ kind, metadata: { namespace } }) =>
        !ofOneCluster.includes(kind) && !(kind === 'Service' && reservedNamespaces.includes(namespace!)),
    )
    .map((object) => {
      const labels = Object.entries(object.metadata.labels ?? {}).filter(([key]) => key !== networkLabel);
      return { ...object, metadata: { ...object.metadata, labels: Object.fromEntries(labels) } };
    });
}

/** Every call that the rendered policies let through in a cluster, as `principal -> namespace/workload path`. */
function granted(rendered: readonly RenderedStage[], cluster: string): readonly string[] {
  return objectsOf(rendered, cluster)
    .filter(
      ({ kind, metadata }) =>
        kind === 'AuthorizationPolicy' && !reservedNamespaces.includes(metadata.namespace!),
    )
    .flatMap(({ metadata, spec }) => {
      const { selector, rules } = spec as Policy;
      const callee = `${metadata.namespace!}/${selector.matchLabels['app.kubernetes.io/name']!}`;
      return rules.flatMap(({ from, to }) =>
        to.flatMap(({ operation }) =>
          (operation.paths ?? []).map((path) => `${from![0]!.source.principals[0]!} -> ${callee} ${path}`),
        ),
      );
    })
    .sort();
}

/** The same of what was declared. */
function declared(mesh: Mesh<string>): readonly string[] {
  const workloads = mesh.node.findAll().filter((part) => part instanceof Workload);
  const call = (account: string, { service, descriptor }: Method) =>
    `demo.example/ns/${account} -> ${service.namespace.name}/${service.name} ` +
    `/${descriptor.parent.typeName}/${descriptor.name}`;
  const edges = workloads.flatMap((workload) => {
    const { calledMethods, namespace, name: caller } = workload;
    const own = calledMethods.map((method) => call(`${namespace.name}/sa/${caller}`, method));
    const isNative = workload instanceof HttpEdge && workload.protocols.includes('grpc');
    const native = isNative ? (workload.methods as readonly Method[]) : [];
    return [...own, ...native.map((method) => call('istio-ingress/sa/istio-ingressgateway', method))];
  });
  return [...new Set(edges)].sort();
}

/** The subsets that routes and mirrors name and no DestinationRule of their host has, or that select no pod anywhere. */
function lostSubsets(rendered: readonly RenderedStage[], cluster: string): readonly string[] {
  const objects = objectsOf(rendered, cluster);
  const pods = rendered
    .flatMap((stage) => stage.objects)
    .filter(({ kind, spec }) => kind === 'Deployment' && (spec as { replicas?: number }).replicas !== 0)
    .map(({ metadata, spec }) => {
      const { labels } = (spec as { template: { metadata: { labels: Record<string, string> } } }).template
        .metadata;
      return `${labels['app.kubernetes.io/name']!}.${metadata.namespace!}.svc.cluster.local ${labels['version']!}`;
    });
  const rules = objects.filter(({ kind }) => kind === 'DestinationRule');
  const subsets = rules.flatMap(({ spec }) => {
    const { host, subsets: all = [] } = spec as { host: string; subsets?: { name: string }[] };
    return all.map(({ name }) => `${host} ${name}`);
  });
  return objects
    .filter(({ kind }) => kind === 'VirtualService')
    .flatMap(({ spec }) => (spec as { http?: Route[] }).http ?? [])
    .flatMap(({ route, mirrors = [] }) => [
      // Istio sends nothing to a weight of 0, which a version that runs nowhere may have.
      ...route.filter((one) => (one as { weight?: number }).weight !== 0),
      ...mirrors,
    ])
    .flatMap(({ destination: { host, subset } }) => (subset === undefined ? [] : [`${host} ${subset}`]))
    .filter((subset) => !subsets.includes(subset) || !pods.includes(subset));
}

/** What callers of the cache in a cluster connect to, by port: the first route's subset, by its labels, or all instances there are. */
function connected(rendered: readonly RenderedStage[], cluster: string, drawn: DrawnMesh): object {
  const find = (kind: string) => objectOf(rendered, cluster, kind, cacheName);
  const { tcp = [] } = (find('VirtualService')?.['spec'] ?? {}) as { tcp?: TcpRoute[] };
  const { subsets = [] } = (find('DestinationRule')?.['spec'] ?? {}) as { subsets?: Subset[] };
  const running = drawn.clusters.filter(
    (other) => objectOf(rendered, other, 'Deployment', cacheName) !== undefined,
  );
  const { ports = [] } = (find('Service')?.['spec'] ?? {}) as { ports?: { port: number }[] };
  return Object.fromEntries(
    ports.map(({ port }) => {
      const route = tcp.find(
        ({ match: [{ port: own, sourceLabels }] }) =>
          own === port && (sourceLabels?.[clusterLabel] ?? cluster) === cluster,
      );
      const labels = subsets.find(({ name }) => name === route?.route[0].destination.subset)?.labels ?? {};
      return [port, running.filter((other) => (labels[clusterLabel] ?? other) === other)];
    }),
  );
}

/** The same, as it was declared. */
function meant(cluster: string, { cache, clusters }: DrawnMesh): object {
  if (cache === undefined) return {};
  const there = cache.alone === undefined ? clusters : [pick(clusters, cache.alone)];
  const own = cache.replicated || there.length === 1 ? there : [cluster];
  return { 80: own, 6379: own };
}

/** Who may connect to which port of the cache, by the policy in a cluster. */
function connecting(rendered: readonly RenderedStage[], cluster: string): readonly string[] {
  const policy = objectOf(rendered, cluster, 'AuthorizationPolicy', cacheName)?.['spec'] as
    Policy | undefined;
  return (policy?.rules ?? []).map(({ from, to }) => {
    expect(to.map(({ operation }) => Object.keys(operation))).toEqual([['ports']]);
    const { ports } = to[0]!.operation as { readonly ports?: readonly string[] };
    return `${from![0]!.source.principals[0]!} -> ${String(ports)}`;
  });
}

/** Whether a route takes a call: the first that does decides. */
function takes({ match }: Route, path: string, metadata: Readonly<Record<string, string>>): boolean {
  if (match === undefined) return true;
  return match.some(
    ({ uri, headers = {} }) =>
      (uri === undefined || uri.exact === path) &&
      Object.entries(headers).every(([name, value]) => {
        const sent = metadata[name];
        if (sent === undefined) return false;
        if ('exact' in value) return sent === value.exact;
        return 'prefix' in value
          ? sent.startsWith(value.prefix)
          : new RegExp(`^(?:${value.regex})$`).test(sent);
      }),
  );
}

/** Metadata that every rule of the pool matches, some, and none. */
const sent = [{}, { 'x-user': 'ada', 'x-trial': '1' }, { 'x-user': 'ada' }, { 'x-user': 'alan' }];

/** What makes a call one of gRPC. */
const asGrpc = { 'content-type': 'application/grpc+proto' };

/** The streaming methods whose calls, with some metadata, may be tried again or end by a timeout. */
function interruptedStreams(
  rendered: readonly RenderedStage[],
  cluster: string,
  services: readonly AnyService[],
): readonly string[] {
  const routesOf = (name: string, namespace?: string) => {
    const found = objectsOf(rendered, cluster, namespace).find(
      ({ kind, metadata }) => kind === 'VirtualService' && metadata.name === name,
    );
    return (found?.['spec'] as { http: Route[] } | undefined)?.http ?? [];
  };
  // Those of native clients; the last is for the HTTP gateway.
  const atGateways = routesOf(edgeName).slice(0, -1);
  return services.flatMap(({ name, namespace, methods, host }) => {
    const routes = routesOf(name, namespace.name);
    const native = atGateways.filter(({ route }) =>
      route.some(({ destination }) => destination.host === host),
    );
    return methods
      .filter(({ kind }) => kind !== 'unary')
      .flatMap((method) =>
        sent.flatMap((metadata) => [
          routes.find((route) => takes(route, pathOf(method), metadata)),
          ...(native.length === 0
            ? []
            : [native.find((route) => takes(route, pathOf(method), { ...metadata, ...asGrpc }))]),
        ]),
      )
      .filter((route) => route?.retries?.attempts !== 0 || route.timeout !== undefined)
      .map((route) => `${namespace.name}/${name}: ${JSON.stringify(route)}`);
  });
}

const yaml = (rendered: readonly RenderedStage[]) => rendered.map((stage) => stage.yaml);

const anyMeshTwice = anyMesh.chain((drawn) => {
  const inOrder = drawn.services.map((_, index) => index);
  const order = fc.shuffledSubarray(inOrder, { minLength: inOrder.length });
  return fc.record({ drawn: fc.constant(drawn), order });
});

test('any valid mesh renders: to the same bytes in whatever order it is declared, the same in every cluster, where it is placed, with exactly the declared calls, connections and subsets that are there, streams left alone, and gateways by their addresses', () => {
  // The inventory also has autoscalers.
  withProject({ inventory: { replicas: 2, autoscaling: { maxReplicas: 5 } } }, (project) => {
    fc.assert(
      fc.property(anyMeshTwice, ({ drawn, order }) => {
        const { mesh, services } = declareMesh(project, drawn);
        const rendered = synthesize(mesh);
        expect(yaml(synthesize(declareMesh(project, drawn).mesh))).toEqual(yaml(rendered));
        expect(yaml(synthesize(declareMesh(project, drawn, order).mesh))).toEqual(yaml(rendered));
        const [first, ...others] = drawn.clusters.map((cluster) => shared(rendered, cluster));
        for (const other of others) expect(other).toEqual(first);
        const { workloads } = mesh.model();
        for (const cluster of drawn.clusters) {
          expect(granted(rendered, cluster)).toEqual(declared(mesh));
          expect(connected(rendered, cluster, drawn)).toEqual(meant(cluster, drawn));
          expect([...connecting(rendered, cluster)].sort()).toEqual(
            drawn.cache === undefined
              ? []
              : services.flatMap(({ principal }) => [`${principal} -> 16379`, `${principal} -> 6379`]).sort(),
          );
          expect(lostSubsets(rendered, cluster)).toEqual([]);
          expect(interruptedStreams(rendered, cluster, services)).toEqual([]);
          expect(running(rendered, cluster)).toEqual(placed(workloads, cluster));
          expect(objectOf(rendered, cluster, 'IstioOperator', 'istio')).toMatchObject({
            spec: {
              values: { global: { multiCluster: { clusterName: cluster }, network: `net-${cluster}` } },
            },
          });
          expect(givenNetworks(rendered, cluster)).toEqual(
            drawn.nodePorts
              .toSorted()
              .map((other) => [`net-${other}`, other, `192.0.2.${drawn.clusters.indexOf(other) + 1}:31443`]),
          );
        }
      }),
      { numRuns: 30 },
    );
  });
});

/** Network, cluster and address of every gateway that a control plane is told the address of. */
function givenNetworks(rendered: readonly RenderedStage[], cluster: string): readonly (readonly string[])[] {
  const { values } = objectOf(rendered, cluster, 'IstioOperator', 'istio')!['spec'] as {
    readonly values: { readonly global: { readonly meshNetworks?: Record<string, Network> } };
  };
  const networks = Object.entries(values.global.meshNetworks ?? {});
  return networks
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { endpoints, gateways }]) => [
      name,
      ...endpoints.map(({ fromRegistry }) => fromRegistry),
      ...gateways.map(({ address, port }) => `${address}:${port}`),
    ]);
}

interface Network {
  readonly endpoints: readonly { readonly fromRegistry: string }[];
  readonly gateways: readonly { readonly address: string; readonly port: number }[];
}

function running(rendered: readonly RenderedStage[], cluster: string): readonly string[] {
  return objectsOf(rendered, cluster)
    .filter(
      ({ kind, metadata }) => kind === 'Deployment' && !reservedNamespaces.includes(metadata.namespace!),
    )
    .map(({ metadata }) => `${metadata.namespace!}/${metadata.name}`)
    .sort();
}

function placed(workloads: ReturnType<Mesh<string>['model']>['workloads'], cluster: string) {
  return workloads
    .flatMap(({ namespace, deployments }) =>
      deployments
        .filter(({ placement }) => placement.includes(cluster))
        .map(({ name }) => `${namespace}/${name}`),
    )
    .sort();
}

test('the metadata that is sent meets every rule that may be drawn', () => {
  const met = metadataPool.map((headers) => ({
    headers,
    by: sent.filter((metadata) => takes({ match: [{ headers }], route: [] }, '/', metadata)).length,
  }));
  for (const { by } of met) expect(by).toBeGreaterThan(0);
});
