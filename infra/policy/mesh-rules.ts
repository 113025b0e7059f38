import { field, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';

const soft = ['PERMISSIVE', 'DISABLE'];

/** Where an object accepts plaintext, or sends it within the mesh. */
export function softMutualTls(object: KubeObject): readonly string[] {
  if (isIstio(object, 'security.istio.io', 'PeerAuthentication')) {
    const modes: readonly (readonly [string, unknown])[] = [
      ['spec.mtls', field(object, 'spec', 'mtls')],
      ...Object.entries(field(object, 'spec', 'portLevelMtls') ?? {}).map(
        ([port, mtls]): [string, unknown] => [`spec.portLevelMtls.${port}`, mtls],
      ),
    ];
    return modes.flatMap(([where, mtls]) => {
      const mode = text(mtls, 'mode') ?? '';
      return soft.includes(mode)
        ? [`${where}.mode is ${mode}: it accepts calls in plaintext; use STRICT`]
        : [];
    });
  }
  if (!isIstio(object, 'networking.istio.io', 'DestinationRule')) return [];
  const host = text(object, 'spec', 'host') ?? '';
  if (host.includes('.') && !host.endsWith('.svc.cluster.local')) return [];
  const policies: readonly (readonly [string, unknown])[] = [
    ['spec.trafficPolicy', field(object, 'spec', 'trafficPolicy')],
    ...list(object, 'spec', 'subsets').map((subset): [string, unknown] => [
      `spec.subsets.${text(subset, 'name') ?? ''}.trafficPolicy`,
      field(subset, 'trafficPolicy'),
    ]),
  ];
  const settings = policies.flatMap(([where, policy]) => [
    [where, policy] as const,
    ...list(policy, 'portLevelSettings').map(
      (port, index) => [`${where}.portLevelSettings[${index}]`, port] as const,
    ),
  ]);
  return settings.flatMap(([where, setting]) =>
    text(setting, 'tls', 'mode') === 'DISABLE'
      ? [`${where}.tls.mode is DISABLE: calls to ${host} are in plaintext; use ISTIO_MUTUAL`]
      : [],
  );
}

/** Rules of an ALLOW policy that allow every call. A policy without rules allows nothing. */
export function allowsAll(object: KubeObject): readonly string[] {
  if (!isIstio(object, 'security.istio.io', 'AuthorizationPolicy')) return [];
  if ((text(object, 'spec', 'action') ?? 'ALLOW') !== 'ALLOW') return [];
  return list(object, 'spec', 'rules').flatMap((rule, index) =>
    restricts(rule)
      ? []
      : [`spec.rules[${index}] allows every call: restrict who may call (from), what (to), or when`],
  );
}

/** A rule matches when its from, to and when all match; at least one of them has to exclude something. */
function restricts(rule: unknown): boolean {
  const some = (key: 'from' | 'to', part: 'source' | 'operation') => {
    const entries = list(rule, key);
    return entries.length > 0 && entries.every((entry) => names(field(entry, part)));
  };
  return some('from', 'source') || some('to', 'operation') || list(rule, 'when').length > 0;
}

/** Whether a source or an operation has a condition other than `*`, which matches everything. */
function names(condition: unknown): boolean {
  return Object.values(condition ?? {}).some(
    (values) => Array.isArray(values) && values.length > 0 && !values.includes('*'),
  );
}

function isIstio(object: KubeObject, group: string, kind: string): boolean {
  return object.kind === kind && object.apiVersion.startsWith(`${group}/`);
}
