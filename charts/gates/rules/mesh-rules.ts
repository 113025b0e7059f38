import { field, list, text } from '../../model/rendered.ts';
import type { KubernetesObject } from '../../model/mesh-model.ts';
import type { Violation } from './rule.ts';
import { trafficSettings, weakTls } from './server-tls.ts';

const soft = ['PERMISSIVE', 'DISABLE'];

/** Where an object accepts plaintext, sends it within the mesh, or gives up to verify whom it calls. */
export function softMutualTls(object: KubernetesObject): readonly Violation[] {
  if (isIstio(object, 'security.istio.io', 'PeerAuthentication')) {
    const modes: readonly (readonly [string, unknown])[] = [
      ['spec.mtls', field(object, 'spec', 'mtls')],
      ...Object.entries(field(object, 'spec', 'portLevelMtls') ?? {}).map(
        ([port, mtls]): [string, unknown] => [`spec.portLevelMtls.${port}`, mtls],
      ),
    ];
    return modes.flatMap(([where, mtls]) => {
      const mode = text(mtls, 'mode') ?? '';
      if (!soft.includes(mode)) return [];
      return [{ what: `${where}.mode is ${mode}: it accepts calls in plaintext`, fix: 'use STRICT' }];
    });
  }
  if (!isIstio(object, 'networking.istio.io', 'DestinationRule')) return [];
  const host = text(object, 'spec', 'host') ?? '';
  const inside = '.svc.cluster.local';
  // A wildcard such as *.local is about services of the mesh, too.
  const isInside =
    !host.includes('.') || host.endsWith(inside) || (host.startsWith('*') && inside.endsWith(host.slice(1)));
  return trafficSettings(object).flatMap(([where, setting]) => {
    const mode = text(setting, 'tls', 'mode') ?? '';
    const unverified = field(setting, 'tls', 'insecureSkipVerify') === true;
    const says = unlike[mode];
    return [
      ...(says !== undefined && isInside
        ? [{ what: `${where}.tls.mode is ${mode}: calls to ${host} ${says}`, fix: 'use ISTIO_MUTUAL' }]
        : []),
      ...(unverified
        ? [
            {
              what: `${where}.tls.insecureSkipVerify is set: any server is accepted as ${host}`,
              fix: 'remove it',
            },
          ]
        : []),
      ...(unverified ? [] : weakTls(object, where, setting)),
    ];
  });
}

const stranger = "do not present the caller's identity, so services of the mesh refuse them";
/** What becomes of calls within the mesh by another mode than its own. */
const unlike: Readonly<Record<string, string | undefined>> = {
  DISABLE: 'are in plaintext',
  SIMPLE: stranger,
  MUTUAL: stranger,
};

/** Sidecars that let pods call hosts that nobody declares. */
export function callsAnybody(object: KubernetesObject): readonly Violation[] {
  if (!isIstio(object, 'networking.istio.io', 'Sidecar')) return [];
  const received = text(object, 'spec', 'outboundTrafficPolicy', 'mode');
  if (received !== 'ALLOW_ANY') return [];
  const what = 'spec.outboundTrafficPolicy.mode lets pods call hosts that nobody declares';
  return [{ what, received, fix: 'use REGISTRY_ONLY, and declare what they call' }];
}

/** Envoy's filters that run code of their own, or ask another program, about every request. */
const programs = /(?:^|[._/])(?:lua|wasm|golang|ext_proc|dynamic_modules)(?:$|[._/])/i;

/** Envoy's filters that decide who may call. */
const deciding = /rbac|jwt_authn|ext_authz|istio_authn|istio\.authn/i;
/** Fields of Envoy that say how connections are secured, in lower case without underscores. */
const securing = ['transportsocket', 'transportsocketmatches', 'tlscontext', 'requireclientcertificate'];

/** Patches of an EnvoyFilter that take away, or change, what decides who may call; and code that could. */
export function touchesAccess(object: KubernetesObject): readonly Violation[] {
  if (isIstio(object, 'extensions.istio.io', 'WasmPlugin')) {
    const what = 'runs its own code in proxies, which can change who may call';
    return [{ what, received: text(object, 'spec', 'url'), fix: 'remove it' }];
  }
  if (!isIstio(object, 'networking.istio.io', 'EnvoyFilter')) return [];
  return list(object, 'spec', 'configPatches').flatMap((entry, index) => {
    const what = undermines(entry);
    if (what === undefined) return [];
    const fix = 'leave that to Istio, and allow calls with calls, callsHttp or an AuthorizationPolicy';
    return [{ what: `spec.configPatches[${index}] ${what}`, fix }];
  });
}

function undermines(entry: unknown): string | undefined {
  const applyTo = text(entry, 'applyTo') ?? '';
  const operation = text(entry, 'patch', 'operation') ?? '';
  const fields = fieldsIn(field(entry, 'patch', 'value'));
  if (fields.some(([key]) => securing.includes(key))) return 'changes how connections are secured';
  const program = fields.find(
    ([key, value]) =>
      ['name', '@type', 'typeurl'].includes(key) && typeof value === 'string' && programs.test(value),
  );
  if (program !== undefined && operation !== 'REMOVE')
    return `adds the filter ${String(program[1])}, whose code can change who may call`;
  const byRoute = fields.flatMap(([key, value]) =>
    key === 'typedperfilterconfig' ? Object.keys(value ?? {}) : [],
  );
  if (byRoute.some((name) => deciding.test(name)))
    return 'overrides, for a route, a filter that decides who may call';
  if (operation === 'ADD' && ['LISTENER', 'FILTER_CHAIN'].includes(applyTo))
    return `adds a ${applyTo}, whose connections pass none of the filters that decide who may call`;
  if (operation === 'ADD' || operation.startsWith('INSERT_')) return undefined;
  const filter = field(entry, 'match', 'listener', 'filterChain', 'filter');
  const name = applyTo === 'HTTP_FILTER' ? text(filter, 'subFilter', 'name') : text(filter, 'name');
  const names = fields.flatMap(([key, value]) =>
    ['name', '@type'].includes(key) && typeof value === 'string' ? [value] : [],
  );
  const changed = [name ?? '', ...names].find((one) => deciding.test(one));
  if (changed !== undefined) return `changes the filter ${changed}, which decides who may call`;
  if (operation !== 'REMOVE' && operation !== 'REPLACE') return undefined;
  // All filters of HTTP stand in the connection manager.
  const isManager = name?.includes('http_connection_manager') === true;
  const isOne =
    name !== undefined && (applyTo === 'HTTP_FILTER' || (applyTo === 'NETWORK_FILTER' && !isManager));
  if (!removable.includes(applyTo) || isOne) return undefined;
  const all = `${applyTo}${name === undefined ? '' : ` ${name}`}`;
  return `${operation === 'REMOVE' ? 'removes' : 'replaces'} ${all}, with the filters that decide who may call`;
}

/** What of Envoy's configuration holds those filters. */
const removable = ['LISTENER', 'FILTER_CHAIN', 'NETWORK_FILTER', 'HTTP_FILTER'];

/** Every field of a value, however deep; its name in lower case without underscores, as both of protobuf's spellings. */
function fieldsIn(value: unknown): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    [key.replaceAll('_', '').toLowerCase(), inner] as const,
    ...fieldsIn(inner),
  ]);
}

/**
 * What the Gateway API makes: istiod deploys a proxy with a load balancer for each Gateway, and its routes are none that
 * anything here looks at (https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/).
 */
export function opensGateway(object: KubernetesObject): readonly Violation[] {
  const group = 'gateway.networking.k8s.io';
  // Where its kinds are defined, istiod uses them.
  const defines = object.kind === 'CustomResourceDefinition' && object.metadata.name.endsWith(`.${group}`);
  if (!defines && !object.apiVersion.startsWith(`${group}/`)) return [];
  const what = 'belongs to the Gateway API, whose gateways and routes bypass the checks of the mesh';
  return [{ what, received: defines ? object.metadata.name : object.apiVersion, fix: 'declare an HttpEdge' }];
}

export function isIstio(object: KubernetesObject, group: string, kind: string): boolean {
  return object.kind === kind && object.apiVersion.startsWith(`${group}/`);
}
