import type { Problem } from '../../../core/problem.ts';
import { podsOf, selects } from '../pods.ts';
import type { Pods } from '../pods.ts';
import { field, list, mapping, ofKind, text, texts, title } from '../../model/rendered.ts';
import type { RenderedCluster, RenderedMesh, RenderedObject } from '../../model/rendered.ts';

/** A Gateway, the pods it is for, and what its servers claim. */
interface Claimed {
  readonly rendered: RenderedObject;
  readonly selector: Readonly<Record<string, string>>;
  readonly pods: readonly Pods[];
}

/**
 * A port of a Gateway has to be one that a Service leads to its pods by, and two Gateways of the same pods must claim neither
 * one host on one port nor one certificate.
 */
export function gatewayServers({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) => {
    const running = podsOf(cluster);
    const gateways = ofKind(cluster, 'Gateway').map((rendered): Claimed => {
      const selector = mapping(rendered.object, 'spec', 'selector');
      return { rendered, selector, pods: running.filter(({ labels }) => selects(selector, labels)) };
    });
    return gateways.flatMap((gateway, index) => [
      ...closedPorts(cluster, gateway),
      ...gateways.slice(0, index).flatMap((earlier) => shared(gateway, earlier)),
    ]);
  });
}

/** Ports that no Service of the pods has: nobody can reach them. */
function closedPorts(cluster: RenderedCluster, { rendered, selector, pods }: Claimed): readonly Problem[] {
  // Without pods the gate of selectors speaks.
  if (pods.length === 0) return [];
  const { where, object } = rendered;
  const open = new Set(
    pods.flatMap((found) =>
      ofKind(cluster, 'Service')
        .filter(({ object: service }) => {
          const wanted = mapping(service, 'spec', 'selector');
          const isHere = service.metadata.namespace === found.namespace && Object.keys(wanted).length > 0;
          return isHere && selects(wanted, found.labels);
        })
        .flatMap(({ object: service }) => list(service, 'spec', 'ports'))
        .filter((port) => (text(port, 'protocol') ?? 'TCP') === 'TCP')
        // Istio takes either for the other.
        .flatMap((port) => [field(port, 'port'), field(port, 'targetPort')])
        .filter((port) => typeof port === 'number'),
    ),
  );
  return list(object, 'spec', 'servers').flatMap((server, index): readonly Problem[] => {
    const received = field(server, 'port', 'number');
    if (typeof received !== 'number' || open.has(received)) return [];
    const what = `${title(object)}: spec.servers[${index}].port is not a port of any Service that selects the pods with labels ${written(selector)}`;
    const allowed = open.size === 0 ? 'none, because no Service selects them' : [...open].join(', ');
    return [{ where, what, received, allowed, fix: 'add the port to the Service, or correct it' }];
  });
}

/** What two Gateways claim of the same pods. */
function shared(later: Claimed, earlier: Claimed): readonly Problem[] {
  if (!meet(later, earlier)) return [];
  const { where, object } = later.rendered;
  const beside = earlier.rendered;
  const certificates = certificatesOf(beside.object);
  const doubled = [...new Set(certificatesOf(object))].filter((name) => certificates.includes(name));
  // Of equal selectors the gate of conflicts speaks.
  const isOther = written(later.selector) !== written(earlier.selector);
  const claims = isOther ? claimsOf(beside.object) : [];
  return [
    ...claimsOf(object)
      .filter((claim) => claims.includes(claim))
      .map((claim) => ({
        where,
        what: `${title(object)} claims ${claim} of pods for which ${title(beside.object)} of ${beside.where} also claims it`,
        fix: 'keep one of them',
      })),
    ...doubled.map((received) => ({
      where,
      what:
        `${title(object)} uses the same certificate as ${title(beside.object)} of ${beside.where}: ` +
        'clients reuse one HTTP/2 connection for both, on which the hosts of the other Gateway are not found',
      received,
      fix: 'list all hosts of a certificate in one Gateway, or use separate certificates',
    })),
  ];
}

/** Whether two Gateways are for the same pods: for some that run, or by a selector that asks for all that the other does. */
function meet(a: Claimed, b: Claimed): boolean {
  if (a.pods.some(({ of }) => b.pods.some((other) => other.of === of))) return true;
  return selects(a.selector, b.selector) || selects(b.selector, a.selector);
}

function certificatesOf(gateway: object): readonly string[] {
  return list(gateway, 'spec', 'servers').flatMap((server) => {
    const secret = text(server, 'tls', 'credentialName');
    if (secret !== undefined) return [secret];
    const files = ['serverCertificate', 'privateKey'].map((key) => text(server, 'tls', key));
    return files.every((file) => file !== undefined) ? [files.join(' ')] : [];
  });
}

function claimsOf(gateway: object): readonly string[] {
  return list(gateway, 'spec', 'servers').flatMap((server) =>
    texts(server, 'hosts').map((host) => `host ${host} on port ${String(field(server, 'port', 'number'))}`),
  );
}

function written(selector: Readonly<Record<string, string>>): string {
  return Object.entries(selector)
    .map((label) => label.join('='))
    .sort()
    .join(',');
}
