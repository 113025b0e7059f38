import type { Problem } from '../../../core/problem.ts';

/** What an edge has to have for its hosts to be checked against others'. */
export interface Hosted {
  readonly where: string;
  readonly hosts: readonly string[];
}

const dnsName = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/;

/** Any host that no other edge has. */
const anyHost = '*';

/** Which requests an AuthorizationPolicy's operation is about, by host. */
export interface HostMatch {
  readonly hosts?: string[];
  readonly notHosts?: string[];
}

/**
 * The requests that are routed to an edge, by their host. An AuthorizationPolicy holds for all that comes in at the
 * gateways, and several are alternatives: without this the rules of one edge would open the paths of another.
 * @param ports - of the gateways, which clients may put behind the host
 * @param edges - every edge of the mesh
 */
export function hostMatch(edge: Hosted, ports: readonly number[], edges: readonly Hosted[]): HostMatch {
  if (!edge.hosts.includes(anyHost)) {
    return { hosts: edge.hosts.flatMap((host) => [host, ...ports.map((port) => `${host}:${port}`)]) };
  }
  const others = edges.flatMap(({ hosts }) => hosts).filter((host) => host !== anyHost);
  // Whatever port they are asked for with: more than is routed elsewhere, so that nothing slips in between.
  return others.length === 0 ? {} : { notHosts: others.flatMap((host) => [host, `${host}:*`]).sort() };
}

/** The requests for an edge's hosts, by whatever port: where gateways belong to others, nobody here knows what clients put behind. */
export function hostMatchByAnyPort({ hosts }: Hosted): HostMatch {
  return hosts.includes(anyHost) ? {} : { hosts: hosts.flatMap((host) => [host, `${host}:*`]) };
}

/**
 * An edge at gateways of others names its hosts: with any host it would answer, for them, whatever no other Gateway asks for.
 */
export function joinedHostProblems({ where, hosts }: Hosted): readonly Problem[] {
  if (!Array.isArray(hosts) || !hosts.includes(anyHost)) return [];
  const what = 'is every host of gateways that belong to others';
  const fix = "name the edge's hosts, or leave ingress out of the platform for gateways of the mesh's own";
  return [{ where: `${where}: hosts`, what, received: hosts, fix }];
}

/** What is wrong with an edge's hosts; plain JavaScript may pass anything. */
export function hostProblems(edge: Hosted, edges: readonly Hosted[]): readonly Problem[] {
  const where = `${edge.where}: hosts`;
  const hosts: readonly unknown[] = edge.hosts;
  if (!Array.isArray(edge.hosts) || hosts.length === 0) {
    const fix = "name a host, or leave hosts out for ['*']";
    return [{ where, what: 'is not a list of at least one host', received: edge.hosts, fix }];
  }
  const earlier = edges.slice(0, edges.indexOf(edge));
  return hosts.flatMap((host, index): Problem[] => {
    if (typeof host !== 'string' || (host !== anyHost && !dnsName.test(host))) {
      const allowed = "'*', or a DNS name in lower case without a port, such as api.example";
      return [{ where, what: 'is not a host', received: host, allowed }];
    }
    if (hosts.indexOf(host) !== index) {
      return [{ where, what: 'the host is listed twice', received: host, fix: 'remove one' }];
    }
    if (host === anyHost && hosts.length > 1) {
      return [
        { where, what: "'*' already covers every host", received: hosts, fix: "keep '*' or the names" },
      ];
    }
    const rival = earlier.find((other) => Array.isArray(other.hosts) && other.hosts.includes(host));
    if (rival === undefined) return [];
    const fix = 'give each edge its own hosts, or expose the methods at that edge';
    return [{ where, what: `the host already belongs to ${rival.where}`, received: host, fix }];
  });
}
