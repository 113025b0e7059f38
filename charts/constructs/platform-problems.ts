import { leastAmounts, parseQuantity } from '../../apps/config/quantity.ts';
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
    const allowed =
      'lab, released({ imageHub, istioTag }), existing({ imageHub, istio }), or a whole Platform of your own';
    const what = `is not a platform: it lacks ${missing.join(', ')}`;
    return [...unknown, { where, what, received: platform, allowed }];
  }
  const { imageHub, imagePullSecrets, istio } = platform as Platform;
  return [
    ...unknown,
    ...parts.flatMap((part) => partProblems(`${where}.${part}`, part, given[part] as Fields)),
    ...countProblems(where, platform as Platform),
    ...istioProblems(`${where}.istio`, istio),
    ...hubProblems(`${where}.imageHub`, imageHub),
    ...hubProblems(`${where}.istio.hub`, istio.hub),
    ...pullSecretProblems(`${where}.imagePullSecrets`, imagePullSecrets),
  ];
}

/** What is wrong with one of a platform's parts. */
export function partProblems(where: string, part: Part, fields: Fields): readonly Problem[] {
  return [
    ...unknownKeys(where, fields, partKeys[part]),
    ...unknownKeys(`${where}.requests`, fields['requests'], amountKeys),
    ...unknownKeys(`${where}.limits`, fields['limits'], amountKeys),
    ...amountProblems(where, part, fields),
  ];
}

/** Checked like those of config.yml: the API server, or an injected pod, would refuse them where nobody looks. */
function amountProblems(where: string, part: Part, fields: Fields): readonly Problem[] {
  const groups = (['requests', 'limits'] as const).filter((group) => partKeys[part].includes(group));
  const amountOf = (group: string, resource: string) =>
    ((fields[group] ?? {}) as Readonly<Record<string, unknown>>)[resource];
  return (['cpu', 'memory'] as const).flatMap((resource): readonly Problem[] => {
    const { least, allowed } = leastAmounts[resource];
    const wrong = groups.filter((group) => (parseQuantity(amountOf(group, resource)) ?? 0) < least);
    if (wrong.length > 0) {
      return wrong.map((group) => {
        const received = amountOf(group, resource);
        return {
          where: `${where}.${group}.${resource}`,
          what: 'is not a resource quantity',
          received,
          allowed,
        };
      });
    }
    const [request, limit] = groups.map((group) => parseQuantity(amountOf(group, resource)));
    if (request === undefined || limit === undefined || request <= limit) return [];
    return [
      {
        where: `${where}.requests.${resource}`,
        what: `is more than limits.${resource}`,
        received: amountOf('requests', resource),
        allowed: `at most ${String(amountOf('limits', resource))}`,
        fix: 'lower the request or raise the limit',
      },
    ];
  });
}

/** With less, Envoy's share is nearly full with its configuration alone, and a gateway that sheds load takes no request. */
const leastGatewayMemory = 128 * 2 ** 20;

function gatewayMemoryProblems(where: string, limits: unknown): readonly Problem[] {
  const received = ((limits ?? {}) as Fields)['memory'];
  const bytes = parseQuantity(received) ?? 0;
  // What is no amount at all is told with the others.
  if (bytes < leastAmounts.memory.least || bytes >= leastGatewayMemory) return [];
  const what = 'is too little memory for a gateway, which refuses requests before its memory is full';
  return [{ where: `${where}.limits.memory`, what, received, allowed: 'at least "128Mi"', fix: 'raise it' }];
}

function countProblems(where: string, { controlPlane, gateway }: Platform): readonly Problem[] {
  const { minReplicas, maxReplicas } = controlPlane;
  const counts: readonly (readonly [string, unknown])[] = [
    ['controlPlane.minReplicas', minReplicas],
    ['controlPlane.maxReplicas', maxReplicas],
  ];
  const found: Problem[] = counts.flatMap(([key, count]) => countProblem(`${where}.${key}`, count));
  if (isCount(minReplicas) && isCount(maxReplicas) && maxReplicas < minReplicas) {
    const what = 'is fewer than minReplicas';
    const fix = 'raise it, or lower minReplicas';
    const at = `${where}.controlPlane.maxReplicas`;
    found.push({ where: at, what, received: maxReplicas, allowed: `${minReplicas} or more`, fix });
  }
  return [...found, ...gatewayProblems(`${where}.gateway`, gateway)];
}

/** What is wrong with gateways, beside their amounts. */
export function gatewayProblems(where: string, gateway: Platform['gateway']): readonly Problem[] {
  const { replicas, sources, limits } = gateway;
  const nodePorts: unknown = gateway.nodePorts;
  return [
    ...countProblem(`${where}.replicas`, replicas),
    ...(typeof nodePorts === 'boolean'
      ? []
      : [
          {
            where: `${where}.nodePorts`,
            what: 'is not a boolean',
            received: nodePorts,
            allowed: 'true or false',
          },
        ]),
    ...gatewayMemoryProblems(where, limits),
    ...(sources === undefined ? [] : sourceProblems(`${where}.sources`, sources)),
  ];
}

function countProblem(where: string, received: unknown): readonly Problem[] {
  if (isCount(received)) return [];
  return [{ where, what: 'is not a number of pods', received, allowed: 'a whole number from 1 to 1000' }];
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 1000;
}

function istioProblems(where: string, { tag, proxy }: Platform['istio']): readonly Problem[] {
  const found: Problem[] = [];
  if (typeof (tag as unknown) !== 'string' || !/^\w[\w.-]{0,127}$/.test(tag)) {
    found.push({
      where: `${where}.tag`,
      what: 'is not an image tag',
      received: tag,
      allowed: 'such as 1.29.2',
    });
  }
  if (!proxies.includes(proxy)) {
    found.push({
      where: `${where}.proxy`,
      what: 'is not a kind of proxy',
      received: proxy,
      allowed: proxies.join(', '),
    });
  }
  return found;
}

const proxies: readonly Platform['istio']['proxy'][] = ['istio', 'upstream-envoy'];

/** A registry as image references begin: no scheme, no tag, no slash at the end. */
export function hubProblems(where: string, hub: unknown): Problem[] {
  const path = String.raw`[a-z0-9]+(?:[._-]+[a-z0-9]+)*`;
  const form = new RegExp(String.raw`^[A-Za-z0-9][A-Za-z0-9.-]*(?::\d+)?(?:/${path})*$`);
  if (typeof hub === 'string' && form.test(hub)) return [];
  const allowed = 'the registry and path that image references begin with, such as registry.example/shop';
  return [{ where, what: 'is not an image registry', received: hub, allowed }];
}

/** What is wrong with the names of pull secrets. */
export function pullSecretProblems(where: string, names: unknown): Problem[] {
  if (names === undefined) return [];
  const isName = (name: unknown) =>
    typeof name === 'string' && name.length <= 253 && name.split('.').every(isDnsLabel);
  if (Array.isArray(names) && names.length > 0 && names.every(isName)) return [];
  const allowed = "a list of names of Secrets, such as ['registry-key']";
  return [{ where, what: 'is not a list of names', received: names, allowed }];
}
