import type { Plan } from '../plan/plan.ts';
import type { TrustSettings } from '../plan/stack-config.ts';
import { withCaVolume } from './ca-volume.ts';
import { withIssuer } from './issuer.ts';

/**
 * The plan with what signs the CAs of the clusters: a root in the trust folder as it is, an issuer of cert-manager, or a
 * volume that holds them.
 * @throws ProblemsError (exit 2) on an Istio of others, which has its own.
 */
export function withSigner(plan: Plan, { issuer, csi }: Pick<TrustSettings, 'issuer' | 'csi'>): Plan {
  return withCaVolume(withIssuer(plan, issuer), csi);
}
