import { isIP } from 'node:net';
import { dnsLabelRule, isDnsLabel, nearest } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';

/** What of an external service its rules look at; plain JavaScript may pass anything. */
interface Declared {
  readonly where: string;
  readonly name: string;
  readonly isDuplicate: boolean;
  readonly host: unknown;
  readonly port: unknown;
  readonly protocol: unknown;
  readonly addresses: unknown;
}

const protocols: readonly string[] = ['GRPC', 'HTTP', 'TLS'];
const hostRule = 'a fully qualified host name in lower case, such as payments.example';
const portRule = 'a whole number from 1 to 65535, except 15000 to 15099';

/** Checks an external service, and that no other one of its namespace has its host. */
export function externalProblems(service: Declared, siblings: readonly Declared[]): readonly Problem[] {
  return [
    ...nameProblems(service),
    ...hostProblems(service, siblings),
    ...portProblems(service),
    ...protocolProblems(service),
    ...pairProblems(service),
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

function isHost(host: string): boolean {
  const labels = host.split('.');
  return (
    host.length <= 253 && labels.length > 1 && labels.every(isDnsLabel) && !/^\d+$/.test(labels.at(-1) ?? '')
  );
}

function portProblems({ where, port }: Declared): Problem[] {
  if (typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65535) return [];
  return [{ where: `${where}: port`, what: 'is not a port', received: port, allowed: portRule }];
}

function protocolProblems({ where, protocol }: Declared): Problem[] {
  if (typeof protocol === 'string' && protocols.includes(protocol)) return [];
  // The nearest name of HTTPS would be HTTP, which is its opposite.
  const near = typeof protocol === 'string' ? nearest(protocol, protocols) : undefined;
  const fix = protocol === 'HTTPS' ? 'use TLS, which includes HTTPS' : near && `did you mean ${near}?`;
  return [
    {
      where: `${where}: protocol`,
      what: 'is not a protocol for an external service',
      received: protocol,
      allowed: protocols.join(', '),
      ...(fix === undefined ? {} : { fix }),
    },
  ];
}

/** Protocols that begin in plaintext and turn to TLS later, by the port they have everywhere: no proxy sees an SNI first. */
const startingPlain: Readonly<Record<number, string>> = {
  21: 'FTP',
  25: 'SMTP',
  110: 'POP3',
  143: 'IMAP',
  389: 'LDAP',
  587: 'SMTP',
  1433: 'SQL Server',
  3306: 'MySQL',
  5222: 'XMPP',
  5432: 'PostgreSQL',
};

/** What a port and a protocol say together that cannot work. */
function pairProblems({ where, port, protocol }: Declared): Problem[] {
  if (typeof port !== 'number' || typeof protocol !== 'string') return [];
  if (port >= 15_000 && port <= 15_099) {
    const what =
      'is a port that Istio uses in every pod (15000 to 15099): calls to it would end at the proxy';
    const fix = 'reach the service on another port';
    return [{ where: `${where}: port`, what, received: port, allowed: portRule, fix }];
  }
  const at = `${where}: protocol`;
  const plain = startingPlain[port];
  if (protocol === 'TLS' && plain !== undefined) {
    const what =
      `port ${port} is the port of ${plain}, which begins in plaintext: the proxy waits for a TLS ClientHello, whose SNI ` +
      'names the host, and gets none';
    return [
      {
        where: at,
        what,
        received: protocol,
        fix: 'use a port where TLS starts at once, or run a proxy for this service',
      },
    ];
  }
  if ((port !== 443 && port !== 8443) || protocol === 'TLS' || !protocols.includes(protocol)) return [];
  const what = `port ${port} is the port of HTTPS, but ${protocol} means plaintext here`;
  return [{ where: at, what, received: protocol, allowed: 'TLS', fix: 'use TLS, or the plaintext port' }];
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
