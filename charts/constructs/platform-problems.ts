import { keysOf, unknownKeys } from '../../core/keys.ts';
import { isDnsLabel } from '../../core/names.ts';
import type { Problem } from '../../core/problem.ts';
import { sourceProblems } from './gateways/address-rules.ts';
import type { Amounts, Platform, Resources } from './scope/platform.ts';

const platformKeys = keysOf<Platform>({
  imageHub: true,
  imagePullSecrets: true,
  istio: true,
  controlPlane: true,
  cni: true,
  sidecar: true,
  gateway: true,
});
const partKeys = {
  istio: keysOf<Platform['istio']>({ hub: true, tag: true, proxy: true }),
  controlPlane: keysOf<Platform['controlPlane']>({ minReplicas: true, maxReplicas: true, requests: true }),
  cni: keysOf<Platform['cni']>({ requests: true }),
  sidecar: keysOf<Resources>({ requests: true, limits: true }),
  gateway: keysOf<Platform['gateway']>({
    replicas: true,
    nodePorts: true,
    sources: true,
    requests: true,
    limits: true,
  }),
};
const amountKeys = keysOf<Amounts>({ cpu: true, memory: true });

type Part = keyof typeof partKeys;
type Fields = Readonly<Record<string, unknown>>;

const parts = Object.keys(partKeys) as Part[];

/** Whether all parts are there, which plain JavaScript may leave out, and what people write themselves of them. */
export function platformProblems(mesh: string, platform: unknown): readonly Problem[] {
  const given = (platform ?? {}) as Fields;
  const isMissing = (part: Part) => typeof given[part] !== 'object' || given[part] === null;
  const missing: string[] = parts.filter(isMissing);
  if (typeof given['imageHub'] !== 'string') missing.unshift('imageHub');
  const where = `${mesh}: platform`;
  const unknown = unknownKeys(where, platform, platformKeys);
  if (missing.length > 0) {
    const allowed = 'lab, released({ imageHub, istioTag }), or a whole Platform of your own';
    const what = `is no platform: it has no ${missing.join(', ')}`;
    return [...unknown, { where, what, received: platform, allowed }];
  }
  const { imageHub, imagePullSecrets, istio, gateway } = platform as Platform;
  return [
    ...unknown,
    ...parts.flatMap((part) => partProblems(`${where}.${part}`, part, given[part] as Fields)),
    ...hubProblems(`${where}.imageHub`, imageHub),
    ...hubProblems(`${where}.istio.hub`, istio.hub),
    ...pullSecretProblems(`${where}.imagePullSecrets`, imagePullSecrets),
    ...(gateway.sources === undefined ? [] : sourceProblems(`${where}.gateway.sources`, gateway.sources)),
  ];
}

function partProblems(where: string, part: Part, fields: Fields): readonly Problem[] {
  return [
    ...unknownKeys(where, fields, partKeys[part]),
    ...unknownKeys(`${where}.requests`, fields['requests'], amountKeys),
    ...unknownKeys(`${where}.limits`, fields['limits'], amountKeys),
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
  const allowed = "Secrets' names, such as ['registry-key']";
  return [{ where, what: 'is no list of names', received: names, allowed }];
}
