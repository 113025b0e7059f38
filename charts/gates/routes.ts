import { nearest } from '../../core/names.ts';
import type { Problem } from '../../core/problem.ts';
import { covers, destinationsOf, hostFor, hostsOf, inSidecars, qualified } from './hosts.ts';
import { shadowed } from './matches.ts';
import { podsOf, selects } from './pods.ts';
import type { Pods } from './pods.ts';
import { field, isJoined, list, mapping, ofKind, push, text, texts, title } from '../model/rendered.ts';
import type { OthersIstio, RenderedCluster, RenderedMesh, RenderedObject } from '../model/rendered.ts';

/** Every route must have a destination, every subset a route, and every VirtualService a proxy that uses it. */
export function deadRoutes(mesh: RenderedMesh): readonly Problem[] {
  const hosts = hostsOf(mesh.clusters);
  const running = new Map(mesh.clusters.map((cluster) => [cluster, podsOf(cluster)]));
  const pods = new Map<string, Pods[]>();
  for (const found of [...running.values()].flat()) push(pods, found.namespace, found);
  return mesh.clusters.flatMap((cluster) => {
    const subsets = subsetsOf(cluster);
    const reached = new Set<string>();
    const problems = ofKind(cluster, 'VirtualService').flatMap((service): readonly Problem[] => {
      const { object, where } = service;
      return [
        ...destinationsOf(object).flatMap(({ path, host, subset, port }): readonly Problem[] => {
          const full = qualified(host, object.metadata.namespace);
          const known = hostFor(hosts, full);
          // The gate of host names reports a host that is unknown.
          if (known === undefined && !subsets.has(full)) return [];
          const at = `${title(object)}: ${path}`;
          const found: Problem[] = [];
          const ports = known === undefined ? [] : (hosts.get(known) ?? []);
          if (port !== undefined && known !== undefined && !ports.some((own) => own === port)) {
            const what = `${at} leads to a port that ${full} does not have`;
            found.push({ where, what, received: port, allowed: ports.join(', ') });
          }
          if (port === undefined && ports.length > 1) {
            const what = `${at} leads to ${full}, which has several ports, without naming one`;
            found.push({
              where,
              what,
              allowed: ports.join(', '),
              fix: 'set destination.port.number',
            });
          }
          if (subset === undefined) return found;
          reached.add(`${full} ${subset}`);
          const declared = [...(subsets.get(full)?.keys() ?? [])];
          if (!declared.includes(subset)) {
            const near = nearest(subset, declared);
            found.push({
              where,
              what: `${at} leads to a subset that no DestinationRule of ${full} has`,
              received: subset,
              allowed: declared.length === 0 ? 'none, because no subset is declared' : declared.join(', '),
              ...(near === undefined ? {} : { fix: `did you mean ${near}?` }),
            });
          }
          return found;
        }),
        ...shadowed(service),
        ...unread(service, cluster, running.get(cluster) ?? [], mesh.istio),
      ];
    });
    for (const [host, declared] of subsets) {
      const namespace = host.split('.')[1] ?? '';
      for (const [name, { rule, labels }] of declared) {
        const problem = { where: rule.where, received: name };
        const at = `${title(rule.object)}: spec.subsets`;
        if (!reached.has(`${host} ${name}`)) {
          const fix = 'route to it, or remove it';
          problems.push({ ...problem, what: `${at} has a subset that no route leads to`, fix });
        }
        if (
          host.endsWith('.svc.cluster.local') &&
          !pods.get(namespace)?.some((found) => selects(labels, found.labels))
        ) {
          const what = `${at} has a subset with labels that no pod in namespace ${namespace} has`;
          problems.push({ ...problem, what, fix: 'give the pods the labels, or remove it' });
        }
      }
    }
    return problems;
  });
}

interface Subset {
  readonly rule: RenderedObject;
  /** Without the labels that Istio itself gives to endpoints. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Subsets by host and name. */
function subsetsOf(cluster: RenderedCluster): ReadonlyMap<string, ReadonlyMap<string, Subset>> {
  const found = new Map<string, Map<string, Subset>>();
  for (const rule of ofKind(cluster, 'DestinationRule')) {
    const host = qualified(text(rule.object, 'spec', 'host') ?? '', rule.object.metadata.namespace);
    const subsets = found.get(host) ?? new Map<string, Subset>();
    for (const subset of list(rule.object, 'spec', 'subsets')) {
      // Endpoints have what is known of their place, and nothing by the name of what is not.
      const labels = Object.entries(mapping(subset, 'labels')).filter(
        ([key, value]) => !key.startsWith('topology.') || value === '',
      );
      subsets.set(text(subset, 'name') ?? '', { rule, labels: Object.fromEntries(labels) });
    }
    found.set(host, subsets);
  }
  return found;
}

/** A VirtualService for gateways needs a Gateway that exists, has pods, serves one of its hosts, and sees its exportTo. */
function unread(
  { object, where }: RenderedObject,
  cluster: RenderedCluster,
  running: readonly Pods[],
  istio: OthersIstio | undefined,
): readonly Problem[] {
  if (inSidecars(object)) return [];
  const { namespace: own = '' } = object.metadata;
  const hosts = texts(object, 'spec', 'hosts');
  const gateways = ofKind(cluster, 'Gateway');
  return texts(object, 'spec', 'gateways').flatMap((entry): readonly Problem[] => {
    const [namespace, name] = entry.includes('/') ? entry.split('/') : [own, entry];
    const gateway = gateways.find(
      (found) => found.object.metadata.namespace === namespace && found.object.metadata.name === name,
    );
    const problem = { where, received: entry };
    const at = `${title(object)}: spec.gateways`;
    if (gateway === undefined) {
      const near = nearest(
        name ?? '',
        gateways.map((found) => found.object.metadata.name),
      );
      const fix = near === undefined ? {} : { fix: `did you mean ${near}?` };
      return [{ ...problem, what: `${at} names a Gateway that does not exist`, ...fix }];
    }
    const served = list(gateway.object, 'spec', 'servers').flatMap((server) =>
      texts(server, 'hosts').map((host) => servedName(host, own, namespace ?? '')),
    );
    if (!hosts.some((host) => served.some((pattern) => covers(pattern, host) || covers(host, pattern)))) {
      return [
        { ...problem, what: `${at} names a Gateway that serves none of its hosts ${hosts.join(', ')}` },
      ];
    }
    const selector = mapping(gateway.object, 'spec', 'selector');
    const pods: readonly Pick<Pods, 'namespace'>[] = isJoined(istio, selector)
      ? [istio.ingress]
      : running.filter(({ labels }) => selects(selector, labels));
    if (pods.length === 0) {
      return [{ ...problem, what: `${at} names a Gateway that selects no pod of ${cluster.name}` }];
    }
    const unseen = pods.find((found) => !exportedTo(field(object, 'spec', 'exportTo'), own, found.namespace));
    if (unseen === undefined) return [];
    const allowed = `'*', or a list with ${unseen.namespace}`;
    const what = `${title(object)}: spec.exportTo leaves out the namespace of the pods of Gateway ${entry}`;
    return [{ where, what, received: field(object, 'spec', 'exportTo'), allowed }];
  });
}

/** A Gateway's host as it applies to VirtualServices of a namespace: `other/host` serves only those of `other`. */
function servedName(host: string, own: string, gateway: string): string {
  const [namespace = '', name] = host.split('/');
  if (name === undefined) return host;
  const from = namespace === '.' ? gateway : namespace;
  return from === '*' || from === own ? name : '';
}

/** Whether an object with this `exportTo` is visible in a namespace; without one it is visible in all. */
export function exportedTo(exportTo: unknown, own: string, namespace: string): boolean {
  if (!Array.isArray(exportTo) || exportTo.length === 0 || exportTo.includes('*')) return true;
  return exportTo.includes(namespace) || (own === namespace && exportTo.includes('.'));
}
