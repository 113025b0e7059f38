import { bindsMore, decidesForCluster, openToAll, volumeOfNode } from './cluster-rules.ts';
import { allowsAll } from './access-rules.ts';
import { callsAnybody, opensGateway, softMutualTls, touchesAccess } from './mesh-rules.ts';
import { reachesNode } from './node-access.ts';
import { passesProxy, unlimited, unpinned, unsafeEnvironment } from './pod-rules.ts';
import { growsRights } from './role-rules.ts';
import type { PackRule, Rule } from './rule.ts';

/** The rules of Pulumi's policy pack, which looks at every object that is applied, those of Istio's own charts too. */
export const packRules: readonly PackRule[] = [
  {
    name: 'strict-mutual-tls',
    description:
      'Mutual TLS is neither permissive nor off, and servers are verified (Istio, PeerAuthentication and DestinationRule).',
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
  {
    name: 'access-filters',
    description: 'No EnvoyFilter or WasmPlugin takes away or changes what decides who may call.',
    violations: touchesAccess,
  },
];

/** The rules that what a mesh declares is held to, beside: Istio's own agents and control plane could not be. */
export const declaredRules: readonly Rule[] = [
  ...packRules,
  { name: 'behind-proxy', violations: passesProxy },
  {
    name: 'no-node-access',
    violations: (object) => [...reachesNode(object), ...volumeOfNode(object)],
  },
  { name: 'safe-environment', violations: unsafeEnvironment },
  { name: 'declared-gateways', violations: opensGateway },
  { name: 'least-rights', violations: (object) => [...bindsMore(object), ...growsRights(object)] },
  { name: 'own-cluster', violations: decidesForCluster },
  { name: 'known-hosts', violations: callsAnybody },
];
