import { defaultRevision, revisionLabel } from '../../charts/model/labels.ts';
import type { ExistingIstioModel } from '../../charts/model/mesh-model.ts';
import type { Problem } from '../../core/problem.ts';
import { describe } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';

const injectionLabel = 'istio-injection';

/**
 * Labels of a live namespace that give pods of the mesh no proxy, or one of another control plane than is compared. Istio asks the
 * namespace first: its webhooks look at labels of a pod only where the namespace has neither of the two
 * (https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/#controlling-the-injection-policy).
 * @param revision - that of the control plane that the declared revision or tag stands for; undefined where it was not seen
 */
export function injectionProblems(
  cluster: string,
  namespace: KubeObject,
  { revision: declared }: ExistingIstioModel,
  revision: string | undefined,
): readonly Problem[] {
  const { labels = {}, name } = namespace.metadata;
  const [injection, asked] = [labels[injectionLabel], labels[revisionLabel]];
  const where = `${cluster}: ${describe(namespace)}`;
  const none =
    'its labels keep the injector from its pods: those of the mesh would start without a proxy, and answer anybody in plaintext';
  const other =
    'its labels give its pods the proxies of another revision than the mesh declares, if there is one: nothing of that one is compared';
  if (injection !== undefined) {
    if (injection === 'enabled' && declared === defaultRevision) return [];
    return [
      {
        where,
        what: injection === 'enabled' ? other : none,
        received: `${injectionLabel}=${injection}`,
        allowed: declared === defaultRevision ? `${injectionLabel}=enabled, or none` : 'none',
        fix: `have its owners take it away: kubectl label namespace ${name} ${injectionLabel}-`,
      },
    ];
  }
  if (asked === undefined || asked === declared || asked === revision) return [];
  return [
    {
      where,
      what: other,
      received: `${revisionLabel}=${asked}`,
      allowed: `${revisionLabel}=${declared}, or none`,
      fix: `declare existing({ istio: { revision: '${asked}' } }), or have its owners change the label`,
    },
  ];
}
