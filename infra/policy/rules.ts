import { anySourceAnnotation } from '../../charts/constructs/scope/names.ts';
import { field, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { allowsAll, softMutualTls } from './mesh-rules.ts';
import { unlimited, unpinned } from './pod-rules.ts';

/** A rule about single objects. */
export interface Rule {
  readonly name: string;
  readonly description: string;
  /** An object's violations of the rule, one sentence each that says where. */
  readonly violations: (object: KubeObject) => readonly string[];
}

/** All rules of the policy pack. */
export const rules: readonly Rule[] = [
  {
    name: 'strict-mutual-tls',
    description: 'Mutual TLS is neither permissive nor off (Istio, PeerAuthentication and DestinationRule).',
    violations: softMutualTls,
  },
  {
    name: 'no-allow-all',
    description:
      'No AuthorizationPolicy allows every call (Istio, AuthorizationPolicy: an empty rule matches all).',
    violations: allowsAll,
  },
  {
    name: 'pinned-images',
    description: 'Images are named by digest, or by a tag that is never moved.',
    violations: unpinned,
  },
  {
    name: 'bounded-resources',
    description: 'Every container requests CPU and memory, and is limited in memory.',
    violations: unlimited,
  },
  {
    name: 'known-sources',
    description: 'A load balancer lists the addresses that may call it, or gives the reason why any may.',
    violations: openToAll,
  },
];

function openToAll(object: KubeObject): readonly string[] {
  if (object.kind !== 'Service' || text(object, 'spec', 'type') !== 'LoadBalancer') return [];
  if ((text(object, 'metadata', 'annotations', anySourceAnnotation) ?? '').trim() !== '') return [];
  const ranges = list(object, 'spec', 'loadBalancerSourceRanges');
  const open = ranges.find((range) => typeof range === 'string' && /\/0+$/.test(range));
  if (ranges.length > 0 && open === undefined) return [];
  const found =
    field(object, 'spec', 'loadBalancerSourceRanges') === undefined
      ? 'is missing'
      : ranges.length === 0
        ? 'is empty'
        : `contains ${String(open)}`;
  return [
    `spec.loadBalancerSourceRanges ${found}: any address may call this load balancer; list the ranges that may, or give the reason in the annotation ${anySourceAnnotation}`,
  ];
}
