import { dnsLabelRule, isDnsLabel, nearest } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';
import { callProblems } from '../access/authorization.ts';
import { Namespace, refuseScope, type Mesh } from '../scope/mesh-construct.ts';
import type { Callable } from '../scope/callable.ts';
import type { Caller } from '../scope/method.ts';
import { isExisting } from '../scope/platform.ts';
import { descriptorProblems } from '../workload/descriptor.ts';
import { placementProblems } from '../workload/workload-rules.ts';
import { CallingPods } from '../workload/calling-pods.ts';
import { Workload } from '../workload/workload.ts';

/** What of either its rules look at; plain JavaScript may have passed anything. */
interface Declared {
  readonly mesh: Mesh;
  readonly where: string;
  readonly isDuplicate: boolean;
  readonly namespace: { readonly name: unknown };
}

/**
 * Refuses what is no mesh, so that there would be nobody to ask for problems later.
 * @throws ProblemsError at once
 */
export function refuseOutsideMesh(what: string, mesh: unknown): void {
  const isMesh = typeof mesh === 'object' && mesh !== null && 'clusters' in mesh && 'trustDomain' in mesh;
  refuseScope(isMesh, what, mesh, 'the mesh');
}

/** What is wrong with the declaration of a service of others. */
export function serviceProblems(
  service: Declared & {
    readonly name: unknown;
    readonly clusters: readonly string[];
    readonly ports: { readonly grpc?: unknown };
  },
  props: unknown,
  callers: readonly Caller[],
): readonly Problem[] {
  const { where, mesh, name, namespace, clusters } = service;
  const given = (typeof props === 'object' && props !== null ? props : {}) as Readonly<
    Record<string, unknown>
  >;
  const all = mesh.clusters.map((cluster) => cluster.name);
  const known = mesh.node.findAll().filter((part) => part instanceof Workload);
  const own = known.find((each) => each.name === name && each.namespace.name === namespace.name);
  const { grpc: port } = service.ports;
  return [
    ...namespaceProblems(service),
    ...(isDnsLabel(name)
      ? []
      : [
          {
            where: `${where}: name`,
            what: 'is not the name of a Service',
            received: name,
            allowed: dnsLabelRule,
          },
        ]),
    ...(own === undefined
      ? []
      : [{ where, what: `is a service of the mesh: ${own.where}`, fix: 'call it by its own methods' }]),
    ...descriptorProblems(`${where}: service`, given['service']),
    ...(typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65535
      ? []
      : [{ where: `${where}: port`, what: 'is not a port', received: port, allowed: '1 to 65535' }]),
    ...placementProblems(where, given['placement'] ?? all, all),
    ...callers.flatMap((caller): readonly Problem[] => {
      const without = caller.clusters.filter((cluster) => !clusters.includes(cluster));
      if (without.length === 0) return [];
      const what = `calls ${where}, whose name resolves to nothing in clusters that its Service is not in`;
      return [
        {
          where: `${caller.where}: calls`,
          what,
          received: without,
          allowed: clusters.join(', '),
          fix: `have its owners put the Service into ${without.join(' and ')}, too, or run the caller only where it is`,
        },
      ];
    }),
  ];
}

/** What is wrong with the declaration of a caller of others. */
export function callerProblems(
  caller: Declared & { readonly serviceAccount: unknown },
  calls: readonly Callable[],
): readonly Problem[] {
  const { where, mesh, serviceAccount, namespace } = caller;
  const at = `${where}: serviceAccount`;
  const known = mesh.node.findAll().filter((part) => part instanceof CallingPods);
  const own = known.find((each) => each.name === serviceAccount && each.namespace.name === namespace.name);
  const wrong = callProblems(where, mesh, calls, undefined, { ports: true, routes: true });
  return [
    ...namespaceProblems(caller),
    ...accountProblems(at, serviceAccount),
    ...(own === undefined
      ? []
      : [{ where, what: `is the account of ${own.where}`, fix: 'use the calls of that service' }]),
    ...wrong,
    ...(wrong.length > 0
      ? []
      : calls.flatMap(({ service }, index): readonly Problem[] => {
          if (!service.isExisting) return [];
          const what = 'is a method of a service of others, and who may call that is for its owners to say';
          return [{ where: `${where}: calls[${index}]`, what, received: service.where, fix: 'remove it' }];
        })),
  ];
}

function accountProblems(where: string, received: unknown): readonly Problem[] {
  if (received === 'default') {
    const what = 'is the account of every pod that has none of its own, so that all of them could call';
    return [{ where, what, received, fix: 'have its owners give it an account of its own' }];
  }
  if (typeof received === 'string' && received.length <= 253 && received.split('.').every(isDnsLabel))
    return [];
  const allowed = 'the name of a Kubernetes service account: DNS labels, separated by dots';
  return [{ where, what: 'is not a service account', received, allowed }];
}

function namespaceProblems({ where, mesh, namespace, isDuplicate }: Declared): readonly Problem[] {
  const at = `${where}: namespace`;
  const { name: received } = namespace;
  if (!isDnsLabel(received)) {
    return [{ where: at, what: 'is not the name of a namespace', received, allowed: dnsLabelRule }];
  }
  if (isDuplicate) return [{ where, what: 'is declared twice', fix: 'declare it once and share it' }];
  const own = mesh.node
    .findAll()
    .filter((part) => part instanceof Namespace)
    .map(({ name }) => name);
  if (isExisting(mesh.platform) || own.includes(received as string)) return [];
  const near = nearest(received, own);
  const declare = 'declare it with mesh.namespace, and let its owners deploy into it';
  return [
    {
      where: at,
      what: 'is not one of the mesh, whose own Istio sees no other (discoverySelectors)',
      received,
      allowed: own.length === 0 ? 'a namespace that the mesh declares' : own.join(', '),
      fix: `${near === undefined ? '' : `did you mean ${near}? Or `}${declare}`,
    },
  ];
}
