import { dnsLabelRule, isDnsLabel } from '../../core/names.ts';
import type { Problem } from '../../core/problem.ts';
import { gatewayProblems, sourceProblems } from './gateways/address-rules.ts';
import type { Cluster } from './scope/cluster.ts';
import type { Platform } from './scope/platform.ts';

/** What of a mesh its rules look at. */
interface Declared {
  readonly name: string;
  readonly root: string;
  readonly platform: Platform;
  readonly trustDomain: string;
  readonly clusters: readonly Cluster[];
  readonly gateways?: unknown;
}

const labelValueRule =
  '1 to 63 of letters, digits, hyphens, underscores and dots, a letter or digit at either end';
const trustDomainRule = 'up to 255 of a-z, 0-9, dots, hyphens and underscores (SPIFFE-ID, section 2.1)';

/** Checks a mesh's own properties; takes plain JavaScript callers into account, who may leave anything out. */
export function meshProblems(mesh: Declared): readonly Problem[] {
  const { name, root, platform, trustDomain, clusters } = mesh;
  const problems: Problem[] = [];
  const check = (
    where: string,
    what: string,
    value: unknown,
    allowed: string,
    ok: (text: string) => boolean,
  ) => {
    if (typeof value !== 'string' || !ok(value)) problems.push({ where, what, received: value, allowed });
  };
  check(name, 'the mesh has a wrong name', name, dnsLabelRule, isDnsLabel);
  check(`${name}: trustDomain`, 'is not a trust domain', trustDomain, trustDomainRule, isTrustDomain);
  if (clusters.length === 0) {
    problems.push({ where: `${name}: clusters`, what: 'there is no cluster', fix: 'declare at least one' });
  }
  for (const cluster of clusters) {
    const where = `${name}: clusters.${cluster.name}`;
    check(where, 'the cluster has a wrong name', cluster.name, dnsLabelRule, isDnsLabel);
    for (const key of ['network', 'region', 'zone'] as const) {
      check(
        `${where}.${key}`,
        `the ${key} cannot be a label's value`,
        cluster[key],
        labelValueRule,
        isLabelValue,
      );
    }
    problems.push(...gatewayProblems(`${where}.gateways`, cluster.gateways));
  }
  return [
    ...problems,
    ...gatewayProblems(`${name}: gateways`, mesh.gateways),
    ...sharedNetworks(name, clusters),
    ...rootProblems(name, root),
    ...platformProblems(name, platform),
  ];
}

/** What is wrong with the project root, which every app of a mesh is looked for in. */
export function rootProblems(name: string, root: unknown): readonly Problem[] {
  if (typeof root === 'string') return [];
  const allowed = 'the path of the project root';
  return [{ where: `${name}: root`, what: 'is no path', received: root, allowed }];
}

/** Whether all parts are there, which plain JavaScript may leave out, and what people write themselves of them. */
function platformProblems(name: string, platform: unknown): readonly Problem[] {
  const parts = (platform ?? {}) as Readonly<Record<string, unknown>>;
  const isMissing = (key: string) => typeof parts[key] !== 'object' || parts[key] === null;
  const missing = ['istio', 'controlPlane', 'cni', 'sidecar', 'gateway'].filter(isMissing);
  if (typeof parts['imageHub'] !== 'string') missing.unshift('imageHub');
  const where = `${name}: platform`;
  if (missing.length > 0) {
    const allowed = 'lab, released({ imageHub, istioTag }), or a whole Platform of your own';
    return [{ where, what: `is no platform: it has no ${missing.join(', ')}`, received: platform, allowed }];
  }
  const { imageHub, imagePullSecrets, istio, gateway } = platform as Platform;
  return [
    ...hubProblems(`${where}.imageHub`, imageHub),
    ...hubProblems(`${where}.istio.hub`, istio.hub),
    ...pullSecretProblems(`${where}.imagePullSecrets`, imagePullSecrets),
    ...(gateway.sources === undefined ? [] : sourceProblems(`${where}.gateway.sources`, gateway.sources)),
  ];
}

/** A registry as image references begin: no scheme, no tag, no slash at the end. */
function hubProblems(where: string, hub: unknown): Problem[] {
  const path = String.raw`[a-z0-9]+(?:[._-]+[a-z0-9]+)*`;
  const form = new RegExp(String.raw`^[A-Za-z0-9][A-Za-z0-9.-]*(?::\d+)?(?:/${path})*$`);
  if (typeof hub === 'string' && form.test(hub)) return [];
  const allowed = 'a registry and folder as image references begin, such as registry.example/shop';
  return [{ where, what: 'is no place of images', received: hub, allowed }];
}

function pullSecretProblems(where: string, names: unknown): Problem[] {
  if (names === undefined) return [];
  const isName = (name: unknown) =>
    typeof name === 'string' && name.length <= 253 && name.split('.').every(isDnsLabel);
  if (Array.isArray(names) && names.length > 0 && names.every(isName)) return [];
  return [
    {
      where,
      what: 'is no list of names',
      received: names,
      allowed: "Secrets' names, such as ['registry-key']",
    },
  ];
}

/** Two clusters on one network would reach each other's pods directly, which this topology does not set up. */
function sharedNetworks(name: string, clusters: readonly Cluster[]): Problem[] {
  return clusters.flatMap((cluster, index): Problem[] => {
    const first = clusters
      .slice(0, index)
      .find(({ network }) => typeof network === 'string' && network === cluster.network);
    if (first === undefined) return [];
    return [
      {
        where: `${name}: clusters.${cluster.name}.network`,
        what: `the network is already that of cluster ${first.name}`,
        received: cluster.network,
        fix: 'give each cluster a network name of its own: calls between them pass the east-west gateways',
      },
    ];
  });
}

function isTrustDomain(value: string): boolean {
  return /^[a-z0-9._-]{1,255}$/.test(value);
}

function isLabelValue(value: string): boolean {
  return /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(value);
}
