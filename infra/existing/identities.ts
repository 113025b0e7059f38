import { list } from '../kube/kube-object.ts';
import type { Plan } from '../plan/plan.ts';
import type { FoundIstio } from './found-istio.ts';
import { variableOf } from './installation.ts';

/** What of an installation lets in identities from outside of the mesh, or may do so where it is not read. */
export function identityWarnings(istio: FoundIstio, { trustDomain }: Plan): readonly string[] {
  const cluster = `cluster ${istio.client.cluster}`;
  const aliases = list(istio.meshConfig, 'trustDomainAliases').filter((alias) => alias !== trustDomain);
  const shared = variableOf(istio, 'SHARED_MESH_CONFIG');
  const skipped = variableOf(istio, 'PILOT_SKIP_VALIDATE_TRUST_DOMAIN') === 'true';
  return [
    ...(aliases.length === 0
      ? []
      : [
          `${cluster}: Istio takes identities of ${aliases.join(', ')} for those of ${trustDomain} (meshConfig.trustDomainAliases): whoever has a certificate of such a trust domain, with the namespace and service account of a caller, has its rights; have its owners take aliases away that are no longer in use`,
        ]),
    ...(shared === undefined || shared === ''
      ? []
      : [
          `${cluster}: istiod reads mesh configuration from ConfigMap ${istio.namespace}/${shared} as well (SHARED_MESH_CONFIG), which was not compared: a trust domain, aliases or settings there may differ from what the mesh declares and needs`,
        ]),
    ...(skipped
      ? [
          `${cluster}: istiod has proxies take certificates of any trust domain (PILOT_SKIP_VALIDATE_TRUST_DOMAIN): policies alone keep out workloads of others with a common root; have its owners take it away`,
        ]
      : []),
  ];
}
