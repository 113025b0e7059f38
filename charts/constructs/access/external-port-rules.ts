import { unknownKeys } from '../../../core/keys.ts';
import { isDnsLabel, isSubdomain, nearest, subdomainRule } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';
import { caKeys, clientKeys, externalProtocols, givenPorts, portKeys, tlsKeys } from './external-props.ts';
import { keysIn } from '../scope/keys-in.ts';

/** What a host outside the mesh is called. */
export const hostRule = 'a fully qualified host name in lower case, such as payments.example';

/** Whether it is a name of a host outside of clusters, as far as its letters go. */
export function isHost(host: string): boolean {
  const labels = host.split('.');
  return (
    host.length <= 253 && labels.length > 1 && labels.every(isDnsLabel) && !/^\d+$/.test(labels.at(-1) ?? '')
  );
}

const portRule = 'a whole number from 1 to 65535, except 15000 to 15099';
const nameRule = '1 to 15 characters of a-z, 0-9 and single inner hyphens, at least one of them a letter';
const portName = /^(?=.*[a-z])(?!.*--)[a-z0-9](?:[-a-z0-9]{0,13}[a-z0-9])?$/;
const alone = ['port', 'protocol', 'targetPort', 'tls', 'plaintext'];

/** What is wrong with the ports of an external service: one, or several by name; plain JavaScript may pass anything. */
export function portsProblems(service: string, props: unknown): readonly Problem[] {
  const given = keysIn(props);
  const { ports } = given;
  if (ports === undefined) return givenPorts(props).flatMap(([, port]) => portProblems(service, port, false));
  const where = `${service}: ports`;
  const beside = alone
    .filter((key) => given[key] !== undefined)
    .map((key) => ({
      where: `${service}: ${key}`,
      what: 'cannot be combined with ports, which say it of each',
      received: given[key],
      fix: 'remove it',
    }));
  const named = givenPorts(props);
  if (named.length === 0) {
    const allowed = 'ports by name, such as { https: { port: 443, protocol: TLS } }';
    return [...beside, { where, what: 'has no port', received: ports, allowed }];
  }
  return [
    ...beside,
    ...named.flatMap(([name, port], index): readonly Problem[] => {
      const at = `${where}.${name}`;
      const number = keysIn(port)['port'];
      const first = named.slice(0, index).find(([, other]) => keysIn(other)['port'] === number);
      return [
        ...(portName.test(name)
          ? []
          : [{ where: at, what: 'is not a name of a port', received: name, allowed: nameRule }]),
        ...portProblems(at, port, true),
        ...(first === undefined || number === undefined
          ? []
          : [
              {
                where: `${at}.port`,
                what: `is also the port of ${first[0]}`,
                received: number,
                fix: 'give each its own',
              },
            ]),
      ];
    }),
  ];
}

/** @param nested - whether `at` names a key already */
function portProblems(at: string, given: unknown, nested: boolean): readonly Problem[] {
  const of = (key: string) => `${at}${nested ? '.' : ': '}${key}`;
  const port = keysIn(given);
  const target = port['targetPort'] ?? port['port'];
  return [
    ...(nested ? unknownKeys(at, given, portKeys) : []),
    ...numberProblems(of('port'), port['port']),
    ...(port['targetPort'] === undefined ? [] : targetProblems(of('targetPort'), port['targetPort'])),
    ...protocolProblems(of('protocol'), port['protocol']),
    ...encryptionProblems(of, port),
    ...pairProblems(of('protocol'), target, port),
    ...(port['tls'] === undefined ? [] : tlsProblems(of('tls'), port['tls'])),
  ];
}

function isPortNumber(port: unknown): port is number {
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65535;
}

function numberProblems(where: string, received: unknown): readonly Problem[] {
  if (!isPortNumber(received)) return [{ where, what: 'is not a port', received, allowed: portRule }];
  if (received < 15_000 || received > 15_099) return [];
  const what = 'is a port that Istio uses in every pod (15000 to 15099): calls to it would end at the proxy';
  return [{ where, what, received, allowed: portRule, fix: 'reach the service on another port' }];
}

function targetProblems(where: string, received: unknown): readonly Problem[] {
  if (isPortNumber(received)) return [];
  return [{ where, what: 'is not a port', received, allowed: 'a whole number from 1 to 65535' }];
}

function protocolProblems(where: string, protocol: unknown): readonly Problem[] {
  if (isProtocol(protocol)) return [];
  // The nearest name of HTTPS would be HTTP, which is its opposite.
  const near = nearest(protocol, externalProtocols);
  const fix =
    protocol === 'HTTPS'
      ? 'use TLS, which includes HTTPS, or HTTP with tls'
      : near && `did you mean ${near}?`;
  return [
    {
      where,
      what: 'is not a protocol for an external service',
      received: protocol,
      allowed: externalProtocols.join(', '),
      ...(fix === undefined ? {} : { fix }),
    },
  ];
}

function isProtocol(protocol: unknown): protocol is string {
  return typeof protocol === 'string' && externalProtocols.includes(protocol);
}

/** Who encrypts has to be said, once. */
function encryptionProblems(
  of: (key: string) => string,
  { protocol, tls, plaintext }: Readonly<Record<string, unknown>>,
): readonly Problem[] {
  const problems: Problem[] = [];
  if (plaintext !== undefined && plaintext !== true) {
    problems.push({
      where: of('plaintext'),
      what: 'is not true',
      received: plaintext,
      allowed: 'true, or nothing',
    });
  }
  if (!isProtocol(protocol)) return problems;
  if (protocol === 'TLS') {
    const what = 'cannot be combined with the protocol TLS, in which the caller encrypts by itself';
    const fix = 'remove it, or say what the caller speaks in plaintext: GRPC, HTTP or TCP';
    return [
      ...problems,
      ...(tls === undefined ? [] : [{ where: of('tls'), what, fix }]),
      ...(plaintext === undefined ? [] : [{ where: of('plaintext'), what, received: plaintext, fix }]),
    ];
  }
  if (tls !== undefined && plaintext !== undefined) {
    const what = 'says that calls leave in plaintext, and tls that the proxy encrypts them';
    return [...problems, { where: of('plaintext'), what, received: plaintext, fix: 'keep one of them' }];
  }
  if (tls !== undefined || plaintext !== undefined) return problems;
  const what = 'calls would leave the mesh in plaintext, and nothing says that this is meant';
  return [
    ...problems,
    {
      where: of('protocol'),
      what,
      received: protocol,
      allowed: 'tls or plaintext beside it',
      fix: 'let the proxy encrypt them with tls: {}, use TLS if the caller encrypts, or say plaintext: true',
    },
  ];
}

/** Protocols that begin in plaintext and turn to TLS later, by the port they have everywhere: no proxy sees an SNI first, or may begin with TLS. */
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
function pairProblems(
  where: string,
  target: unknown,
  { protocol, tls }: Readonly<Record<string, unknown>>,
): readonly Problem[] {
  if (!isPortNumber(target) || !isProtocol(protocol)) return [];
  const plain = startingPlain[target];
  if (plain !== undefined && (protocol === 'TLS' || tls !== undefined)) {
    const why =
      protocol === 'TLS'
        ? 'the proxy waits for a TLS ClientHello, whose SNI names the host, and gets none'
        : 'the server would not understand a proxy that begins with TLS';
    const fix =
      'use a port where TLS starts at once, or TCP with plaintext: true, within which the caller can turn to TLS by itself';
    const what = `port ${target} is the port of ${plain}, which begins in plaintext: ${why}`;
    return [{ where, what, received: protocol, fix }];
  }
  if ((target !== 443 && target !== 8443) || protocol === 'TLS' || tls !== undefined) return [];
  const what = `port ${target} is the port of HTTPS, but ${protocol} means plaintext here`;
  const fix = 'use TLS, let the proxy encrypt with tls: {}, or use the plaintext port';
  return [{ where, what, received: protocol, allowed: 'TLS', fix }];
}

/** What was given for a Secret is not shown: it might be a key. */
function tlsProblems(where: string, tls: unknown): readonly Problem[] {
  if (typeof tls !== 'object' || tls === null || Array.isArray(tls)) {
    return [
      { where, what: 'is not a mapping', received: tls, allowed: '{}, or with serverName, ca, client' },
    ];
  }
  const { serverName, ca, client } = keysIn(tls);
  const key = keysIn(ca)['key'];
  return [
    ...unknownKeys(where, tls, tlsKeys),
    ...(serverName === undefined || (typeof serverName === 'string' && isHost(serverName))
      ? []
      : [
          {
            where: `${where}.serverName`,
            what: 'is not a host name',
            received: serverName,
            allowed: hostRule,
          },
        ]),
    ...(ca === undefined ? [] : secretProblems(`${where}.ca`, ca, caKeys, 'the certificates of the CAs')),
    ...(key === undefined || (typeof key === 'string' && /^(?!\.\.?$)[-._a-zA-Z0-9]{1,253}$/.test(key))
      ? []
      : [
          {
            where: `${where}.ca.key`,
            what: 'is not a key of a Secret',
            received: key,
            allowed: 'a-z, A-Z, 0-9, - _ .',
          },
        ]),
    ...(client === undefined
      ? []
      : secretProblems(
          `${where}.client`,
          client,
          clientKeys,
          'the certificate and its key, as tls.crt and tls.key,',
        )),
  ];
}

function secretProblems(
  where: string,
  given: unknown,
  keys: readonly string[],
  holds: string,
): readonly Problem[] {
  const { secret } = keysIn(given);
  return [
    ...unknownKeys(where, given, keys),
    ...(typeof secret === 'string' && isSubdomain(secret)
      ? []
      : [
          {
            where: `${where}.secret`,
            what: 'is not the name of a Secret',
            allowed: subdomainRule,
            fix: `put ${holds} into a Secret in the namespace of each caller, and name it here`,
          },
        ]),
  ];
}
