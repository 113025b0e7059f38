import type { ExistingIstioModel } from '../../charts/model/mesh-model.ts';
import type { Problem } from '../../core/problem.ts';
import { describe, field } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { selects } from '../kube/webhooks.ts';
import type { Plan } from '../plan/plan.ts';
import type { FoundIstio } from './found-istio.ts';
import { variableOf } from './installation.ts';

const variable = 'PILOT_SCOPE_GATEWAY_TO_NAMESPACE';

/** Gateways of edges that an istiod with {@link variable} gives to no gateway, because that one is in another namespace. */
export function gatewayScopeProblems(
  istio: FoundIstio,
  plan: Plan,
  { ingress }: ExistingIstioModel,
): readonly Problem[] {
  // Go's strconv.ParseBool, which istiod reads it by.
  if (!/^(?:1|t|T|true|TRUE|True)$/.test(variableOf(istio, variable) ?? '')) return [];
  const { cluster } = istio.client;
  const planned = plan.steps.filter((step) => step.cluster === cluster).flatMap(({ objects }) => objects);
  const deployments = planned.filter(({ kind }) => kind === 'Deployment');
  const servedBeside = (gateway: KubeObject) => {
    const { namespace } = gateway.metadata;
    if (ingress !== undefined) return ingress.namespace === namespace;
    const selector = { matchLabels: field(gateway, 'spec', 'selector') };
    return deployments.some(
      (deployment) =>
        deployment.metadata.namespace === namespace &&
        selects(selector, (field(deployment, 'spec', 'template', 'metadata', 'labels') ?? {}) as Labels),
    );
  };
  const unserved = planned.filter((object) => object.kind === 'Gateway' && !servedBeside(object));
  if (unserved.length === 0) return [];
  return [
    {
      where: `${cluster}: Istio`,
      what: `gives gateways the Gateways of their own namespace alone: no request would reach ${unserved.map(describe).join(', ')}`,
      received: `${variable}=${variableOf(istio, variable) ?? ''}`,
      allowed: 'false, which is its default',
      fix: `have its owners take ${variable} out of the environment of istiod`,
    },
  ];
}

type Labels = Readonly<Record<string, string>>;
