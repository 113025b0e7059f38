import type { KubernetesObject } from '../../model/mesh-model.ts';
import { field, list, mapping, text } from '../../model/rendered.ts';
import type { Violation } from './rule.ts';

/** What a DestinationRule says of all ports and of single ones, for all pods and for subsets, by where it stands. */
export function trafficSettings(
  rule: KubernetesObject,
): readonly (readonly [where: string, setting: unknown])[] {
  const policies: readonly (readonly [string, unknown])[] = [
    ['spec.trafficPolicy', field(rule, 'spec', 'trafficPolicy')],
    ...list(rule, 'spec', 'subsets').map((subset): [string, unknown] => [
      `spec.subsets.${text(subset, 'name') ?? ''}.trafficPolicy`,
      field(subset, 'trafficPolicy'),
    ]),
  ];
  return policies.flatMap(([where, policy]) => [
    [where, policy] as const,
    ...list(policy, 'portLevelSettings').map(
      (port, index) => [`${where}.portLevelSettings[${index}]`, port] as const,
    ),
  ]);
}

/** A CA from a ConfigMap, which every proxy may read. */
const ofConfigMap = 'configmap://';

/**
 * TLS to servers outside the mesh that is not what it says. Sidecars pass over a `credentialName`, and TLS with it, where no `workloadSelector` names
 * them. With a name to send as SNI and none to look for in the certificate, Envoy takes any server that a CA vouches for
 * (`pilot/pkg/networking/core/cluster_tls.go` in Istio's sources).
 */
export function weakTls(rule: KubernetesObject, where: string, setting: unknown): readonly Violation[] {
  const tls = field(setting, 'tls');
  if (!['SIMPLE', 'MUTUAL'].includes(text(tls, 'mode') ?? '')) return [];
  const host = text(rule, 'spec', 'host') ?? '';
  const credential = text(tls, 'credentialName') ?? '';
  const selector = mapping(rule, 'spec', 'workloadSelector', 'matchLabels');
  const sni = text(tls, 'sni') ?? '';
  return [
    ...(credential === '' || credential.startsWith(ofConfigMap) || Object.keys(selector).length > 0
      ? []
      : [
          {
            what: `${where}.tls.credentialName is passed over by sidecars without a spec.workloadSelector: their calls to ${host} leave in plaintext`,
            received: credential,
            fix: 'declare an ExternalService with tls, or name the pods by a workloadSelector',
          },
        ]),
    ...(sni === '' || list(tls, 'subjectAltNames').length > 0
      ? []
      : [
          {
            what: `${where}.tls.sni is set without subjectAltNames: any server with a certificate of a known CA is accepted as ${host}`,
            received: sni,
            fix: 'name the server in subjectAltNames, too',
          },
        ]),
  ];
}
