import { isSubdomain, nearest, subdomainRule } from '../../core/names.ts';
import type { Problem } from '../../core/problem.ts';
import { unsafeVariable } from '../../core/unsafe-variables.ts';
import { at, isMapping, type Where } from './mapping.ts';
import { envFieldRule, isEnvField } from './pod/volumes.ts';

/** Those that stand before the ones of a config.yml in each container. */
const everywhere = ['CLUSTER_NAME', 'POD_NAME', 'POD_NAMESPACE', 'METRICS_PORT', 'SERVICE_VERSION'];

/** Variables that the charts set, some for the gateway's containers alone, so config.yml must not. */
const chartsOwn = [
  'CLUSTER_NAME',
  'POD_NAME',
  'POD_NAMESPACE',
  'GRPC_PORT',
  'HTTP_PORT',
  'METRICS_PORT',
  'SERVICE_VERSION',
  'DESCRIPTORS',
  'UPSTREAMS',
  'CLAIM_HEADERS',
  'REFUSED_METADATA',
  'WEBSOCKET_ORIGINS',
  'OPENAPI_METHODS',
  'DRAIN_DELAY_MS',
  'DRAIN_LIMIT_MS',
];

/**
 * Checks the names in `env` and in its references. The received value is not shown: it may be a secret.
 * @param charts - whether the charts set variables, too: not for images that are built elsewhere
 */
export function checkEnv(value: unknown, where: Where, charts = true): Problem[] {
  const env = at(value, 'env');
  if (!isMapping(env)) return [];
  return Object.entries(env).flatMap(([name, given], index): Problem[] => {
    const before = [...Object.keys(env).slice(0, index), ...(charts ? everywhere : [])];
    return [
      ...checkVariable(name, where, charts ? chartsOwn : []),
      ...checkReference(name, given, where),
      ...checkUses(name, given, before, where),
    ];
  });
}

/**
 * Checks that each `$(NAME)` names a variable that stands before: of another one Kubernetes would leave the text as it is
 * (https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/).
 */
function checkUses(name: string, given: unknown, known: readonly string[], where: Where): Problem[] {
  const text = isMapping(given) ? given['value'] : given;
  if (typeof text !== 'string') return [];
  return [...text.matchAll(/(?<!\$)(?:\$\$)*\$\(([^)]*)\)/g)].flatMap(([, used = '']): Problem[] => {
    if (known.includes(used)) return [];
    const near = nearest(used, known);
    return [
      {
        where: where('env', name),
        what: 'uses a variable that is not set before it',
        received: `$(${used})`,
        allowed: known.length === 0 ? 'none' : known.join(', '),
        fix: `${near === undefined ? 'set it before' : `did you mean ${near}?`}, or write $$(${used}) for the text itself`,
      },
    ];
  });
}

function checkVariable(name: string, where: Where, reserved: readonly string[]): Problem[] {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return [
      {
        where: where('env', name),
        what: 'not a valid name for an environment variable',
        received: name,
        allowed: 'letters, digits and underscores, not starting with a digit',
      },
    ];
  }
  const unsafe = unsafeVariable(name);
  if (unsafe !== undefined) return [{ where: where('env', name), what: unsafe, fix: 'remove it' }];
  if (!reserved.includes(name)) return [];
  const fix = name.startsWith('DRAIN_') ? 'remove it, and set shutdown.drainSeconds' : 'remove it';
  return [
    { where: where('env', name), what: 'reserved: the charts set this variable for every container', fix },
  ];
}

/** Resources of a container that a variable can have. */
const resources = ['limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory'];

/** Kubernetes: names of Secrets and ConfigMaps are DNS subdomains; their keys allow other characters. */
function checkReference(name: string, given: unknown, where: Where): Problem[] {
  if (!isMapping(given)) return [];
  const problems: Problem[] = [];
  for (const [field, kind] of [
    ['secret', 'a Secret'],
    ['configMap', 'a ConfigMap'],
  ] as const) {
    const object = given[field];
    if (typeof object === 'string' && !isSubdomain(object)) {
      problems.push({
        where: where('env', name, field),
        what: `not a valid name for ${kind}`,
        allowed: subdomainRule,
      });
    }
  }
  const { field, resource } = given;
  if (typeof field === 'string' && !isEnvField(field)) {
    const what = 'not a field that a variable can have';
    problems.push({ where: where('env', name, 'field'), what, received: field, allowed: envFieldRule });
  }
  if (typeof resource === 'string' && !resources.includes(resource)) {
    const what = 'not a resource of a container';
    const allowed = resources.join(', ');
    problems.push({ where: where('env', name, 'resource'), what, received: resource, allowed });
  }
  const { key } = given;
  if (typeof key === 'string' && !/^(?!\.\.?$)[-._A-Za-z0-9]{1,253}$/.test(key)) {
    problems.push({
      where: where('env', name, 'key'),
      what: 'not a valid key of a Secret or ConfigMap',
      allowed: '1 to 253 letters, digits, hyphens, underscores and dots',
    });
  }
  return problems;
}
