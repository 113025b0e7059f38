import { BlockList, isIP } from 'node:net';
import { keysOf, unknownKeys } from '../../../core/keys.ts';
import { isDnsLabel } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';
import type { Gateways, LoadBalancer, NodePort } from '../scope/gateway-address.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Ports of each gateway, the first of which it cannot do without. */
const portsOf: Readonly<Record<keyof Gateways, readonly string[]>> = {
  eastWest: ['tls'],
  ingress: ['http', 'https'],
};
const balancerKeys = keysOf<LoadBalancer>({ type: true, sources: true, annotations: true, class: true });
const nodePortKeys = keysOf<NodePort<object>>({ type: true, addresses: true, ports: true });

const forms =
  "{ type: 'LoadBalancer', sources } or { type: 'NodePort', addresses, ports }, or leave it out for any load balancer";
/** What the API server hands out unless it runs with another `--service-node-port-range`. */
const nodePortRange = { first: 30_000, last: 32_767 } as const;

/** Checks what a mesh or a cluster says of its gateways' addresses; plain JavaScript may pass anything. */
export function gatewayProblems(where: string, gateways: unknown): readonly Problem[] {
  if (gateways === undefined) return [];
  if (!isObject(gateways)) {
    return [{ where, what: 'is not an object', received: gateways, allowed: '{ eastWest, ingress }' }];
  }
  const found = Object.entries(portsOf).flatMap(([gateway, ports]): readonly Problem[] => {
    const at = `${where}.${gateway}`;
    const address = gateways[gateway];
    if (address === undefined) return [];
    if (!isObject(address))
      return [{ where: at, what: 'is not an address', received: address, allowed: forms }];
    switch (address['type']) {
      case 'LoadBalancer':
        return loadBalancerProblems(at, address);
      case 'NodePort':
        return nodePortProblems(at, address, ports);
      default:
        return [
          {
            where: `${at}.type`,
            what: 'is not a type of gateway address',
            received: address['type'],
            allowed: forms,
          },
        ];
    }
  });
  return [...unknownKeys(where, gateways, Object.keys(portsOf)), ...found];
}

function loadBalancerProblems(where: string, address: Fields): readonly Problem[] {
  return [
    ...unknownKeys(where, address, balancerKeys),
    ...sourceProblems(`${where}.sources`, address['sources']),
    ...annotationProblems(`${where}.annotations`, address['annotations']),
    ...classProblems(`${where}.class`, address['class']),
  ];
}

const sourcesRule = "a list of CIDRs such as ['10.0.0.0/8'], or { any: REASON } for every address";

/** Checks from where connections are let in: {@link Sources}. */
export function sourceProblems(where: string, sources: unknown): readonly Problem[] {
  if (isObject(sources)) {
    const unknown = unknownKeys(where, sources, ['any']);
    if (unknown.length > 0) return unknown;
    const reason = sources['any'];
    if (typeof reason === 'string' && reason.trim() !== '') return [];
    return [
      { where, what: 'gives no reason why any address may connect', received: sources, allowed: sourcesRule },
    ];
  }
  if (!Array.isArray(sources) || sources.length === 0) {
    return [{ where, what: 'lets no address connect', received: sources, allowed: sourcesRule }];
  }
  return sources.flatMap((source: unknown, index): readonly Problem[] => {
    const at = `${where}[${index}]`;
    const base = typeof source === 'string' ? networkOf(source) : undefined;
    if (typeof source !== 'string' || base === undefined) {
      return [
        { where: at, what: 'is not a CIDR', received: source, allowed: 'such as 10.0.0.0/8 or fd00::/8' },
      ];
    }
    if (source.endsWith('/0')) {
      return [
        { where: at, what: 'is every address', received: source, fix: 'write sources: { any: REASON }' },
      ];
    }
    if (base !== source) {
      const what = 'has host bits set, so the range is wider than it looks';
      return [{ where: at, what, received: source, fix: `write ${base}, or a longer prefix` }];
    }
    if (sources.indexOf(source) !== index) {
      return [{ where: at, what: 'the range is listed twice', received: source, fix: 'remove one' }];
    }
    return [];
  });
}

/** The range that a CIDR is in, without the bits past its prefix; nothing for what is none. */
function networkOf(cidr: string): string | undefined {
  const [, address = '', prefix = ''] = /^([^/]+)\/(\d{1,3})$/.exec(cidr) ?? [];
  const version = isIP(address);
  const bits = version === 4 ? 32 : 128;
  if (version === 0 || String(Number(prefix)) !== prefix || Number(prefix) > bits) return undefined;
  if (version === 6) return isFirstOfRange(address, Number(prefix)) ? cidr : `the first address of ${cidr}`;
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (bits - Number(prefix));
  const first = Math.floor(number / size) * size;
  return `${[24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.')}/${prefix}`;
}

/** Whether no bit of an IPv6 address is set past its prefix. */
function isFirstOfRange(address: string, prefix: number): boolean {
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string | undefined) => (text ? text.split(':') : []);
  const [before, after] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const all = [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16));
  return all.every((group, index) => {
    const kept = Math.min(16, Math.max(0, prefix - index * 16));
    return group % 2 ** (16 - kept) === 0;
  });
}

function annotationProblems(where: string, annotations: unknown): readonly Problem[] {
  if (annotations === undefined) return [];
  const allowed = 'names with strings, such as { "networking.gke.io/load-balancer-type": "Internal" }';
  if (!isObject(annotations)) return [{ where, what: 'is not an object', received: annotations, allowed }];
  return Object.entries(annotations).flatMap(([name, value]): Problem[] => {
    const at = `${where}.${name}`;
    if (!qualifiedName.test(name)) {
      return [{ where: at, what: 'is not the name of an annotation', received: name, allowed }];
    }
    if (name === 'networking.istio.io/exportTo' || name.startsWith('meshwright/')) {
      return [{ where: at, what: 'is set by the gateway itself', received: value, fix: 'remove it' }];
    }
    if (typeof value === 'string') return [];
    return [{ where: at, what: 'is not a string', received: value, allowed: 'a string, in quotes' }];
  });
}

const qualifiedName = /^([a-z0-9][-a-z0-9.]{0,252}\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

function classProblems(where: string, name: unknown): readonly Problem[] {
  if (name === undefined || (typeof name === 'string' && qualifiedName.test(name))) return [];
  const allowed = 'a name with or without a prefix, such as service.k8s.aws/nlb';
  return [{ where, what: 'is not a load balancer class', received: name, allowed }];
}

function nodePortProblems(where: string, address: Fields, names: readonly string[]): readonly Problem[] {
  return [
    ...unknownKeys(where, address, nodePortKeys),
    ...addressProblems(`${where}.addresses`, address['addresses']),
    ...portProblems(`${where}.ports`, address['ports'], names),
  ];
}

/** Addresses that mean another machine to everybody, or none. */
const unreachable = new BlockList();
unreachable.addSubnet('127.0.0.0', 8);
unreachable.addSubnet('0.0.0.0', 8);
unreachable.addSubnet('169.254.0.0', 16);
unreachable.addSubnet('224.0.0.0', 4);
unreachable.addAddress('::', 'ipv6');
unreachable.addAddress('::1', 'ipv6');
unreachable.addSubnet('fe80::', 10, 'ipv6');
unreachable.addSubnet('ff00::', 8, 'ipv6');

function addressProblems(where: string, addresses: unknown): readonly Problem[] {
  const allowed = 'IP addresses, and fully qualified host names in lower case';
  if (!Array.isArray(addresses) || addresses.length === 0) {
    return [{ where, what: 'is not a list of at least one address', received: addresses, allowed }];
  }
  return addresses.flatMap((address: unknown, index): Problem[] => {
    const at = `${where}[${index}]`;
    const version = isIP(String(address));
    if (typeof address !== 'string' || (version === 0 && !isHost(address))) {
      return [{ where: at, what: 'is not an address', received: address, allowed }];
    }
    if (version !== 0 && unreachable.check(address, version === 6 ? 'ipv6' : 'ipv4')) {
      return [{ where: at, what: 'cannot be reached from another cluster', received: address, allowed }];
    }
    if (addresses.indexOf(address) === index) return [];
    return [{ where: at, what: 'the address is listed twice', received: address, fix: 'remove one' }];
  });
}

function isHost(host: string): boolean {
  const labels = host.split('.');
  return (
    host.length <= 253 && labels.length > 1 && labels.every(isDnsLabel) && !/^\d+$/.test(labels.at(-1) ?? '')
  );
}

function portProblems(where: string, ports: unknown, names: readonly string[]): readonly Problem[] {
  const [first = ''] = names;
  const { first: lowest, last } = nodePortRange;
  const allowed = `${lowest} to ${last}`;
  if (!isObject(ports) || ports[first] === undefined) {
    return [
      { where, what: `has no port for ${first}`, received: ports, allowed: `{ ${first}: ${allowed} }` },
    ];
  }
  const given = Object.entries(ports).filter(([name, port]) => names.includes(name) && port !== undefined);
  const found = given.flatMap(([name, port], index): readonly Problem[] => {
    const at = `${where}.${name}`;
    if (typeof port !== 'number' || !Number.isInteger(port) || port < lowest || port > last) {
      return [{ where: at, what: 'is not a node port', received: port, allowed }];
    }
    const rival = given.slice(0, index).find(([, other]) => other === port)?.[0];
    if (rival === undefined) return [];
    return [{ where: at, what: `is also the port of ${rival}`, received: port, fix: 'choose another' }];
  });
  return [...unknownKeys(where, ports, names), ...found];
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
