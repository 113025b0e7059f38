import type { Problem } from '../../../core/problem.ts';
import { field, groupOf, list, mapping, ofKind, texts, title } from '../../model/rendered.ts';
import type { RenderedCluster, RenderedObject } from '../../model/rendered.ts';
import { covers, destinationsOf, inSidecars, qualified } from '../hosts.ts';
import { selects } from '../pods.ts';
import { isAccepted, orReason } from './own.ts';

/** By which label Kubernetes knows the Service of an EndpointSlice. */
const serviceLabel = 'kubernetes.io/service-name';

/** Objects of one's own by which calls to a declared Service, or to a declared host outside the mesh, get to others: to addresses, or by a route to another host. */
export function endpointsTaken(cluster: RenderedCluster, rule: string): readonly Problem[] {
  const services = ofKind(cluster, 'Service').filter(({ own }) => own !== true);
  const outside = ofKind(cluster, 'ServiceEntry').filter(({ own }) => own !== true);
  const hosts = services.map(({ object }) => qualified(object.metadata.name, object.metadata.namespace));
  return cluster.objects
    .filter((one) => one.own === true && !isAccepted(one, rule))
    .flatMap((one): readonly Problem[] => {
      const { where, object } = one;
      // Sidecars name a host outside with its namespace: what another namespace says of it is not theirs.
      const near = outside.filter((entry) => entry.object.metadata.namespace === object.metadata.namespace);
      const found =
        inPlaceOf(object, services, near) ??
        routesElsewhere(object, [...hosts, ...near.flatMap((entry) => texts(entry.object, 'spec', 'hosts'))]);
      if (found === undefined) return [];
      const fix = orReason('remove it, or name a Service of your own', rule);
      return [{ where, what: `${title(object)} ${found.what}`, received: found.received, fix }];
    });
}

interface Found {
  readonly what: string;
  readonly received: unknown;
}

function inPlaceOf(
  object: RenderedObject['object'],
  services: readonly RenderedObject[],
  outside: readonly RenderedObject[],
): Found | undefined {
  const { name, namespace } = object.metadata;
  const beside = services.filter((service) => service.object.metadata.namespace === namespace);
  const byName = (received: string | undefined) =>
    told(
      beside.find((service) => service.object.metadata.name === received),
      received,
    );
  const byLabels = (path: readonly string[]) => {
    const labels = mapping(object, ...path);
    return told(
      beside.find(({ object: service }) => {
        const selector = mapping(service, 'spec', 'selector');
        return Object.keys(selector).length > 0 && selects(selector, labels);
      }),
      labels,
    );
  };
  const group = groupOf(object);
  switch (`${group} ${object.kind}`) {
    case ' Endpoints':
      return byName(name);
    case 'discovery.k8s.io EndpointSlice':
      return byName(object.metadata.labels?.[serviceLabel]);
    case 'networking.istio.io WorkloadEntry':
      return byLabels(['spec', 'labels']);
    case 'networking.istio.io WorkloadGroup':
      return byLabels(['spec', 'metadata', 'labels']);
    case 'networking.istio.io ServiceEntry': {
      const hosts = texts(object, 'spec', 'hosts');
      const meant = (known: string) => hosts.some((host) => covers(host, known));
      const service =
        services.find((one) => namesOf(one).some(meant)) ??
        outside.find((one) => texts(one.object, 'spec', 'hosts').some(meant));
      return told(service, hosts);
    }
    default:
      return undefined;
  }
}

/** The names by which proxies know a Service. */
function namesOf({ object: { metadata } }: RenderedObject): readonly string[] {
  const { name, namespace = '' } = metadata;
  const inNamespace = `${name}.${namespace}`;
  return [name, inNamespace, `${inNamespace}.svc`, qualified(name, namespace)];
}

function told(service: RenderedObject | undefined, received: unknown): Found | undefined {
  if (service === undefined) return undefined;
  return { what: `says where calls to ${title(service.object)} of ${service.where} get to`, received };
}

/** What a route does to calls itself (https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRoute). */
const changing = ['fault', 'rewrite', 'headers'] as const;

/** Whether one of the destinations of a route changes headers. */
function ofRoute(route: unknown): boolean {
  return list(route, 'route').some((entry) => field(entry, 'headers') !== undefined);
}

/** Routes of sidecars' calls to a declared host that lead, or copy calls, to another one, answer them, or change them. */
function routesElsewhere(object: RenderedObject['object'], declared: readonly string[]): Found | undefined {
  if (groupOf(object) !== 'networking.istio.io' || object.kind !== 'VirtualService' || !inSidecars(object))
    return undefined;
  const { namespace } = object.metadata;
  const meant = texts(object, 'spec', 'hosts').map((host) => qualified(host, namespace));
  const about = declared.filter((host) => meant.some((one) => covers(one, host)));
  const [host] = about;
  if (host === undefined) return undefined;
  const others = destinationsOf(object)
    .map((target) => qualified(target.host, namespace))
    .filter((target) => about.length > 1 || target !== host);
  const http = list(object, 'spec', 'http');
  const has = (keys: readonly string[]) =>
    keys.filter((key) => http.some((route) => field(route, key) !== undefined));
  const byItself = has(['redirect', 'directResponse', 'delegate']).length > 0;
  const called = `calls to ${host}${about.length > 1 ? ' and others' : ''}, which the mesh declares`;
  if (others.length > 0 || byItself)
    return {
      what: `routes ${called}, elsewhere`,
      received: others.length === 0 ? 'a redirect, delegate or response of its own' : [...new Set(others)],
    };
  const changed = changing.filter(
    (key) => has([key]).length > 0 || (key === 'headers' && http.some(ofRoute)),
  );
  return changed.length === 0 ? undefined : { what: `changes or fails ${called}`, received: changed };
}
