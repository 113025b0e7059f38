import type { KubeClient } from '../kube/kube-client.ts';
import { field, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Plan } from '../plan/plan.ts';

/**
 * Whether a policy of others lets a principal through to the pods of their Service, as far as the policies' callers and selectors
 * tell. Asked where the mesh has an Istio of its own, whose default is to deny; what others deny or allow by default on an Istio of
 * theirs is for them to know.
 */
export async function letsThrough(
  client: KubeClient,
  plan: Plan,
  service: KubeObject,
  principal: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (!plan.steps.some(({ releases }) => releases.length > 0)) return true;
  const { namespace = '' } = service.metadata;
  const type = await client.typeOf('security.istio.io/v1', 'AuthorizationPolicy', signal);
  if (type === undefined) return false;
  const policies = await client.listIfAllowed(type, { namespace, ...(signal && { signal }) });
  // This is for a warning only, which nobody who may not look gets.
  if (policies === undefined) return true;
  return policies.some(
    (policy) =>
      ['', 'ALLOW'].includes(text(policy, 'spec', 'action') ?? '') &&
      mayBeAbout(policy, service) &&
      list(policy, 'spec', 'rules').some((rule) => takes(rule, principal)),
  );
}

/** Whether a policy may be about a Service's pods: they have at least the labels that it selects them by. */
function mayBeAbout(policy: KubeObject, service: KubeObject): boolean {
  const labels = entries(policy, 'spec', 'selector', 'matchLabels');
  const selected = new Map(entries(service, 'spec', 'selector'));
  return labels.every(([key, value]) => !selected.has(key) || selected.get(key) === value);
}

/** Whether a rule is about calls of a principal: of anybody, or of one or a namespace that it names. */
function takes(rule: unknown, principal: string): boolean {
  const sources = list(rule, 'from');
  const namespace = /\/ns\/([^/]+)\//.exec(principal)?.[1] ?? '';
  return (
    sources.length === 0 ||
    sources.some((source) => {
      const names = (key: string, name: string) => {
        const given = list(source, 'source', key);
        return given.length === 0 || given.some((one) => matches(one, name));
      };
      return names('principals', principal) && names('namespaces', namespace);
    })
  );
}

/** Istio's match of texts: exact, by a beginning, by an end, or anything. */
function matches(pattern: unknown, name: string): boolean {
  if (typeof pattern !== 'string') return false;
  if (pattern.endsWith('*')) return name.startsWith(pattern.slice(0, -1));
  if (pattern.startsWith('*')) return name.endsWith(pattern.slice(1));
  return pattern === name;
}

function entries(object: KubeObject, ...path: readonly string[]): readonly (readonly [string, unknown])[] {
  const found = field(object, ...path);
  return typeof found === 'object' && found !== null ? Object.entries(found) : [];
}
