import { keysOf, unknownKeys } from '../../core/keys.ts';
import { dnsLabelRule, isDnsLabel } from '../../core/names.ts';
import type { Problem } from '../../core/problem.ts';
import { gatewayProblems, hubProblems, partProblems, pullSecretProblems } from './platform-problems.ts';
import type { Cluster } from './scope/cluster.ts';
import type { Gateways } from './scope/gateway-address.ts';
import { longestMeshName } from './scope/names.ts';
import type { ExistingIngress, ExistingIstio, ExistingPlatform } from './scope/platform.ts';

const platformKeys = keysOf<ExistingPlatform>({
  imageHub: true,
  imagePullSecrets: true,
  existing: true,
  ingress: true,
  sidecar: true,
  gateway: true,
});
const istioKeys = keysOf<ExistingIstio>({
  revision: true,
  rootNamespace: true,
  cni: true,
  eastWestNamespace: true,
});
const ingressKeys = keysOf<ExistingIngress>({
  namespace: true,
  serviceAccount: true,
  selector: true,
  service: true,
});

type Fields = Readonly<Record<string, unknown>>;

/** What is wrong with a platform that has an Istio of others; plain JavaScript may have passed anything. */
export function existingPlatformProblems(mesh: string, platform: ExistingPlatform): readonly Problem[] {
  const where = `${mesh}: platform`;
  const given = platform as unknown as Fields;
  const { imageHub, imagePullSecrets, existing, ingress, sidecar, gateway } = given;
  const unknown = unknownKeys(where, platform, platformKeys);
  const missing = [
    ...(typeof imageHub === 'string' ? [] : ['imageHub']),
    ...(isObject(existing) ? [] : ['istio']),
    ...Object.entries({ sidecar, gateway }).flatMap(([part, value]) => (isObject(value) ? [] : [part])),
  ];
  if (missing.length > 0) {
    const allowed = "existing({ imageHub: 'registry.example/shop', istio: { revision: 'stable' } })";
    const what = `does not say enough of the Istio that is there: it lacks ${missing.join(', ')}`;
    return [...unknown, { where, what, received: platform, allowed }];
  }
  return [
    ...unknown,
    ...hubProblems(`${where}.imageHub`, imageHub),
    ...pullSecretProblems(`${where}.imagePullSecrets`, imagePullSecrets),
    ...istioProblems(`${where}.existing`, existing as Fields),
    ...(ingress === undefined ? [] : ingressProblems(`${where}.ingress`, ingress)),
    ...partProblems(`${where}.sidecar`, 'sidecar', sidecar as Fields),
    ...partProblems(`${where}.gateway`, 'gateway', gateway as Fields),
    ...gatewayProblems(`${where}.gateway`, platform.gateway),
  ];
}

function istioProblems(where: string, istio: Fields): readonly Problem[] {
  const names = ['revision', 'rootNamespace', 'eastWestNamespace'] as const;
  const { cni } = istio;
  return [
    ...unknownKeys(where, istio, istioKeys),
    ...names
      .filter((key) => istio[key] !== undefined && !isDnsLabel(istio[key]))
      .map((key) => nameProblem(`${where}.${key}`, istio[key])),
    ...(cni === undefined || typeof cni === 'boolean'
      ? []
      : [{ where: `${where}.cni`, what: 'is not a boolean', received: cni, allowed: 'true or false' }]),
  ];
}

function ingressProblems(where: string, ingress: unknown): readonly Problem[] {
  if (!isObject(ingress)) {
    const allowed = "{ namespace, serviceAccount, selector: { istio: 'ingressgateway' }, service }";
    return [{ where, what: 'does not name gateways', received: ingress, allowed }];
  }
  const { selector } = ingress;
  const labels: readonly unknown[] = isObject(selector) ? Object.values(selector) : [];
  const isSelector = labels.length > 0 && labels.every((value) => typeof value === 'string' && value !== '');
  const { serviceAccount } = ingress;
  const isAccount = typeof serviceAccount === 'string' && serviceAccount.split('.').every(isDnsLabel);
  const wrong = [
    ...(['namespace', 'service'] as const)
      .filter((key) => !isDnsLabel(ingress[key]))
      .map((key) => nameProblem(`${where}.${key}`, ingress[key])),
    ...(isAccount ? [] : [nameProblem(`${where}.serviceAccount`, serviceAccount)]),
  ];
  const allowed = "labels of the gateways' pods, at least one, such as { istio: 'ingressgateway' }";
  return [
    ...unknownKeys(where, ingress, ingressKeys),
    ...wrong,
    ...(isSelector
      ? []
      : [{ where: `${where}.selector`, what: 'does not select pods', received: selector, allowed }]),
  ];
}

function nameProblem(where: string, received: unknown): Problem {
  return { where, what: 'is not a name', received, allowed: dnsLabelRule };
}

/** What of a mesh these rules look at. */
interface Declared {
  readonly name: string;
  readonly clusters: readonly Cluster[];
  readonly gateways?: unknown;
}

/** What cannot be declared with an Istio of others, because it is theirs. */
export function existingProblems(
  { name, clusters, gateways }: Declared,
  platform: ExistingPlatform,
): readonly Problem[] {
  const isJoined = platform.ingress !== undefined;
  const ofClusters = clusters.flatMap((cluster): readonly Problem[] => {
    const where = `${name}: clusters.${cluster.name}`;
    const istio: unknown = cluster.istio;
    const what = 'declares control planes, which belong to others';
    const fix = 'leave it out: upgrades of Istio are for its owners';
    return [
      ...(istio === undefined ? [] : [{ where: `${where}.istio`, what, received: istio, fix }]),
      ...addressProblems(`${where}.gateways`, cluster.gateways, isJoined),
    ];
  });
  return [
    ...lengthProblems(name, isJoined),
    ...addressProblems(`${name}: gateways`, gateways, isJoined),
    ...ofClusters,
  ];
}

/** The mesh's own ingress gateway is called after it. */
function lengthProblems(name: unknown, isJoined: boolean): readonly Problem[] {
  if (isJoined || typeof name !== 'string' || name.length <= longestMeshName || !isDnsLabel(name)) return [];
  const what = 'the name of the mesh is too long for that of its ingress gateway, NAME-ingress';
  const allowed = `up to ${longestMeshName} characters`;
  return [{ where: name, what, received: name, allowed }];
}

function addressProblems(where: string, gateways: unknown, isJoined: boolean): readonly Problem[] {
  const { eastWest, ingress } = (isObject(gateways) ? gateways : {}) as Partial<
    Record<keyof Gateways, unknown>
  >;
  const theirs = (key: string, what: string, received: unknown): readonly Problem[] =>
    received === undefined ? [] : [{ where: `${where}.${key}`, what, received, fix: 'leave it out' }];
  return [
    ...theirs('eastWest', 'is about the gateways between networks, which belong to others', eastWest),
    ...(isJoined
      ? theirs('ingress', 'is about ingress gateways that belong to others (platform.ingress)', ingress)
      : []),
  ];
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
