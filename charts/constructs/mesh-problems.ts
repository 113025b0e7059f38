import { own } from '../../core/own.ts';
import { unknownKeys, keysOf } from '../../core/keys.ts';
import { dnsLabelRule, isDnsLabel } from '../../core/names.ts';
import type { Problem } from '../../core/problem.ts';
import { gatewayProblems } from './gateways/address-rules.ts';
import { existingPlatformProblems } from './existing-problems.ts';
import { platformProblems } from './platform-problems.ts';
import type { MeshProps } from './mesh-props.ts';
import type { Cluster, ClusterProps } from './scope/cluster.ts';
import type { Gateways } from './scope/gateway-address.ts';
import { isExisting, type AnyPlatform } from './scope/platform.ts';

/** What of a mesh its rules look at. */
interface Declared {
  readonly name: string;
  readonly root: string;
  readonly platform: AnyPlatform;
  readonly trustDomain: string;
  readonly clusters: readonly Cluster[];
  readonly gateways?: unknown;
  readonly comments: unknown;
}

const propKeys = keysOf<MeshProps<string>>({
  root: true,
  trustDomain: true,
  clusters: true,
  platform: true,
  gateways: true,
  tracing: true,
  traffic: true,
  comments: true,
});
const clusterKeys = keysOf<ClusterProps>({
  network: true,
  region: true,
  zone: true,
  zones: true,
  istio: true,
  gateways: true,
});

const labelValueRule =
  '1 to 63 letters, digits, hyphens, underscores and dots, starting and ending with a letter or digit';
const trustDomainRule =
  'labels of 1 to 63 of a-z, 0-9 and inner hyphens, separated by dots, up to 255 characters in total, such as shop.example';

/**
 * Checks a mesh's own properties; takes plain JavaScript callers into account, who may leave anything out.
 * @param props - as they were given
 */
export function meshProblems(mesh: Declared, props: unknown): readonly Problem[] {
  const { name, root, platform, trustDomain, clusters } = mesh;
  const problems: Problem[] = unknownKeys(name, props, propKeys);
  const check = (
    where: string,
    what: string,
    value: unknown,
    allowed: string,
    ok: (text: string) => boolean,
  ) => {
    if (typeof value !== 'string' || !ok(value)) problems.push({ where, what, received: value, allowed });
  };
  check(name, 'the name of the mesh is not valid', name, dnsLabelRule, isDnsLabel);
  check(`${name}: trustDomain`, 'is not a trust domain', trustDomain, trustDomainRule, isTrustDomain);
  if (clusters.length === 0) {
    problems.push({ where: `${name}: clusters`, what: 'there is no cluster', fix: 'declare at least one' });
  }
  const given = (props as Partial<MeshProps<string>> | undefined)?.clusters ?? {};
  for (const cluster of clusters) {
    const where = `${name}: clusters.${cluster.name}`;
    check(where, 'the name of the cluster is not valid', cluster.name, dnsLabelRule, isDnsLabel);
    for (const key of [
      'network',
      'region',
      ...(cluster.zones === undefined ? (['zone'] as const) : []),
    ] as const) {
      check(
        `${where}.${key}`,
        `the ${key} cannot be the value of a label`,
        cluster[key],
        labelValueRule,
        isLabelValue,
      );
    }
    problems.push(
      ...zonesProblems(where, cluster),
      ...unknownKeys(where, own(given as Readonly<Record<string, unknown>>, cluster.name), clusterKeys),
    );
    problems.push(...gatewayProblems(`${where}.gateways`, cluster.gateways));
  }
  return [
    ...problems,
    ...gatewayProblems(`${name}: gateways`, mesh.gateways),
    ...(isExisting(platform) ? [] : needlessAddresses(name, clusters, mesh.gateways)),
    ...sharedNodePorts(name, clusters, mesh.gateways),
    ...rootProblems(name, root),
    ...(isExisting(platform) ? existingPlatformProblems(name, platform) : platformProblems(name, platform)),
    ...commentProblems(name, mesh.comments),
  ];
}

/** Zones where there are several; plain JavaScript may pass anything. */
function zonesProblems(
  where: string,
  { zone, zones }: { readonly zone?: unknown; readonly zones?: unknown },
): readonly Problem[] {
  if (zones === undefined) return [];
  const at = `${where}.zones`;
  const both =
    zone === undefined
      ? []
      : [{ where: at, what: 'cannot be combined with zone', received: zones, fix: 'keep one of them' }];
  if (!Array.isArray(zones) || zones.length === 0) {
    const allowed = 'a list of one zone or more, such as [eu-west1-b, eu-west1-c]';
    return [...both, { where: at, what: 'is not a list of zones', received: zones, allowed }];
  }
  return [
    ...both,
    ...zones.flatMap((received: unknown, index): readonly Problem[] => {
      if (typeof received !== 'string' || !isLabelValue(received)) {
        return [
          { where: at, what: 'a zone cannot be the value of a label', received, allowed: labelValueRule },
        ];
      }
      if (zones.indexOf(received) === index) return [];
      return [{ where: at, what: 'the zone is listed twice', received, fix: 'remove one' }];
    }),
  ];
}

function commentProblems(name: string, received: unknown): readonly Problem[] {
  if (isMapping(received) && Object.values(received).every(areComments)) return [];
  const allowed = 'comments of gen/comments.js: for each proto file a list of { path, text }';
  return [{ where: `${name}: comments`, what: 'are not the comments of protos', received, allowed }];
}

function areComments(value: unknown): boolean {
  return Array.isArray(value) && value.every(isComment);
}

function isComment(value: unknown): boolean {
  if (!isMapping(value)) return false;
  const { path, text } = value;
  return typeof text === 'string' && Array.isArray(path) && path.every((part) => Number.isInteger(part));
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is wrong with the project root, which every app of a mesh is looked for in. */
export function rootProblems(name: string, root: unknown): readonly Problem[] {
  if (typeof root === 'string') return [];
  const allowed = 'the path of the project root';
  return [{ where: `${name}: root`, what: 'is not a path', received: root, allowed }];
}

/** Addresses of gateways between networks, where there is one network and so no such gateway. */
function needlessAddresses(name: string, clusters: readonly Cluster[], ofMesh: unknown): Problem[] {
  const networks = new Set(clusters.map(({ network }) => network));
  const [network] = networks;
  // What is no network has a problem of its own.
  if (networks.size !== 1 || typeof network !== 'string') return [];
  const declared: readonly (readonly [string, unknown])[] = [
    ['gateways', ofMesh],
    ...clusters.map((cluster) => [`clusters.${cluster.name}.gateways`, cluster.gateways] as const),
  ];
  return declared.flatMap(([at, gateways]): Problem[] => {
    if ((gateways as Gateways | undefined)?.eastWest === undefined) return [];
    const what = `every cluster is on network ${network}, so that there is no gateway between networks`;
    return [{ where: `${name}: ${at}.eastWest`, what, fix: 'remove it' }];
  });
}

/** Two gateways of a cluster on one node port, of which the API server would refuse the second. */
function sharedNodePorts(name: string, clusters: readonly Cluster[], ofMesh: unknown): Problem[] {
  return clusters.flatMap((cluster) => {
    const seen = new Map<number, string>();
    return gatewayNames.flatMap((gateway) => {
      const own: unknown = cluster.gateways?.[gateway];
      const address: unknown = own ?? (ofMesh as Gateways | undefined)?.[gateway];
      if (typeof address !== 'object' || address === null || !('ports' in address)) return [];
      return Object.entries(address.ports ?? {}).flatMap(([port, number]: [string, unknown]): Problem[] => {
        if (typeof number !== 'number') return [];
        const at = `${own === undefined ? '' : `clusters.${cluster.name}.`}gateways.${gateway}.ports.${port}`;
        const rival = seen.get(number);
        seen.set(number, rival ?? at);
        // Two ports of one gateway are told of where they are declared.
        if (rival === undefined || rival.split('.ports.')[0] === at.split('.ports.')[0]) return [];
        const what = `is also the node port of ${rival} in cluster ${cluster.name}`;
        return [{ where: `${name}: ${at}`, what, received: number, fix: 'choose another' }];
      });
    });
  });
}

const gatewayNames = ['eastWest', 'ingress'] as const;

/**
 * What istiod takes (istio.io/istio/pkg/config/validation/agent, `ValidateTrustDomain`; for another it falls back to
 * `cluster.local` without an error) and SPIFFE-ID, section 2.1, too. Istio would also take a dot at the end.
 */
function isTrustDomain(value: string): boolean {
  return value.length <= 255 && value.split('.').every(isDnsLabel);
}

function isLabelValue(value: string): boolean {
  return /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(value);
}
