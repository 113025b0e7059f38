import type { KubeClient } from '../kube/kube-client.ts';
import type { KubeObject } from '../kube/kube-object.ts';

/** The objects of a kind; none where the API server does not serve it. */
export async function listKind(
  client: KubeClient,
  [apiVersion, kind]: readonly [apiVersion: string, kind: string],
  options: { readonly namespace?: string; readonly labelSelector?: string },
  signal: AbortSignal | undefined,
): Promise<readonly KubeObject[]> {
  const type = await client.typeOf(apiVersion, kind, signal);
  return type === undefined ? [] : client.list(type, { ...options, ...(signal && { signal }) });
}

/** A Kubernetes label selector in the words of a query: `app=web,tier=front`. */
export function inQuery(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
