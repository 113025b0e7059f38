/** A Service that needs an address, and its present address, if any. */
export interface ServiceKey {
  readonly name: string;
  readonly current: string | undefined;
}

export interface Allocation {
  /** Address by Service. */
  readonly assigned: ReadonlyMap<string, string>;
  /** Services without an address, because the pool is used up. */
  readonly without: readonly string[];
}

/**
 * Assigns a pool's addresses: a Service keeps its address when that is in the pool and no Service before it (by name)
 * has the same; the others get the first free ones, by name. Deterministic and stateless.
 */
export function allocate(pool: readonly string[], services: readonly ServiceKey[]): Allocation {
  const byName = services.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const assigned = new Map<string, string>();
  const taken = new Set<string>();
  for (const { name, current } of byName) {
    if (current === undefined || !pool.includes(current) || taken.has(current)) continue;
    assigned.set(name, current);
    taken.add(current);
  }
  const without: string[] = [];
  for (const { name } of byName) {
    if (assigned.has(name)) continue;
    const free = pool.find((address) => !taken.has(address));
    if (free === undefined) {
      without.push(name);
      continue;
    }
    assigned.set(name, free);
    taken.add(free);
  }
  return { assigned, without };
}

/** A LoadBalancer Service with this annotation gets the host name of its address in its status, as some clouds give it. */
export const hostNameAnnotation = 'load-balancer.lab/host-name';

/** Zone of the host names of addresses: every node's DNS reads the address from the name. */
export const hostNameZone = 'load-balancer.lab';

/** `192-0-2-1.load-balancer.lab` */
export function hostNameOf(address: string): string {
  return `${address.replaceAll('.', '-')}.${hostNameZone}`;
}

/** The address that an entry of a load balancer's status refers to; undefined for a host name outside the lab's zone. */
export function addressOf(entry: {
  readonly ip?: string | undefined;
  readonly hostname?: string | undefined;
}): string | undefined {
  const { ip, hostname } = entry;
  if (ip !== undefined || !hostname?.endsWith(`.${hostNameZone}`)) return ip;
  return hostname.slice(0, -hostNameZone.length - 1).replaceAll('-', '.');
}
