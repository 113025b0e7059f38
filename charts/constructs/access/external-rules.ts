import { isIP } from 'node:net';
import { dnsLabelRule, isDnsLabel } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';
import { hostRule, isHost, portsProblems } from './external-port-rules.ts';

/** What of an external service its rules look at; plain JavaScript may pass anything. */
interface Declared {
  readonly where: string;
  readonly name: string;
  readonly isDuplicate: boolean;
  readonly host: unknown;
  readonly addresses: unknown;
}

/**
 * Checks an external service, and that no other one of its namespace has its host.
 * @param props - its properties as they were given
 */
export function externalProblems(
  service: Declared,
  props: unknown,
  siblings: readonly Declared[],
): readonly Problem[] {
  return [
    ...nameProblems(service),
    ...hostProblems(service, siblings),
    ...portsProblems(service.where, props),
    ...addressProblems(service),
  ];
}

function nameProblems({ where, name, isDuplicate }: Declared): Problem[] {
  if (!isDnsLabel(name)) {
    return [
      { where, what: 'the name of the external service is not valid', received: name, allowed: dnsLabelRule },
    ];
  }
  if (!isDuplicate) return [];
  return [{ where, what: 'the namespace has two services of this name', received: name, fix: 'rename one' }];
}

function hostProblems(service: Declared, siblings: readonly Declared[]): Problem[] {
  const { host: received } = service;
  const where = `${service.where}: host`;
  if (typeof received !== 'string') {
    return [{ where, what: 'is not a host name', received, allowed: hostRule }];
  }
  if (isIP(received) !== 0) {
    const what = 'is an IP address, but proxies tell external services apart by host name';
    return [
      {
        where,
        what,
        received,
        allowed: hostRule,
        fix: 'give a host name, and list the address in addresses',
      },
    ];
  }
  if (received.includes('*')) {
    const what = 'is a wildcard, which would allow calls to hosts that nobody reviewed';
    return [{ where, what, received, allowed: hostRule, fix: 'declare each host separately' }];
  }
  if (isOfCluster(received)) {
    const what = 'is a name inside the clusters';
    return [{ where, what, received, fix: 'declare the service in the mesh, and allow the call with calls' }];
  }
  if (!isHost(received)) return [{ where, what: 'is not a host name', received, allowed: hostRule }];
  const first = siblings.find(({ host }) => host === received);
  if (first === undefined || first.where === service.where) return [];
  return [
    { where, what: `is already the host of ${first.where}`, received, fix: 'declare it once and share it' },
  ];
}

/** Kubernetes resolves `a`, `a.ns`, `a.ns.svc` and `a.ns.svc.cluster.local`; only the last two can be told for sure. */
function isOfCluster(host: string): boolean {
  return /(^|\.)(svc|cluster\.local|localhost)$/.test(host) || host.includes('.svc.');
}

function addressProblems({ where, addresses }: Declared): Problem[] {
  if (addresses === undefined) return [];
  const at = `${where}: addresses`;
  if (!Array.isArray(addresses) || addresses.length === 0) {
    const fix = 'list one, or leave addresses out to resolve the host by DNS';
    return [{ where: at, what: 'is not a list of at least one address', received: addresses, fix }];
  }
  return addresses.flatMap((address: unknown, index): Problem[] => {
    if (typeof address !== 'string' || isIP(address) === 0) {
      return [
        { where: at, what: 'is not an IP address', received: address, allowed: 'IPv4 and IPv6 addresses' },
      ];
    }
    if (addresses.indexOf(address) === index) return [];
    return [{ where: at, what: 'the address is listed twice', received: address, fix: 'remove one' }];
  });
}
