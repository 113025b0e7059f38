import { field } from '../kube/kube-object.ts';
import type { KubeClient } from '../kube/kube-client.ts';

/** A permission that the credentials in use may or may not have. */
export interface Access {
  readonly verb: string;
  /** With its group, such as `deployments.apps` or `pods/exec`; or a path, such as `/metrics`. */
  readonly resource: string;
  /** @default - any name */
  readonly name?: string;
  /** @default - in all namespaces */
  readonly namespace?: string;
}

/** Whether the cluster's own authorizer allows the credentials an access (SelfSubjectAccessReview). */
export async function isAllowed(
  client: KubeClient,
  { verb, resource, name, namespace }: Access,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const [path = '', ...group] = resource.split('.');
  const [plural, subresource] = path.split('/');
  const attributes = {
    verb,
    group: group.join('.'),
    resource: plural,
    ...(subresource !== undefined && { subresource }),
    ...(name !== undefined && { name }),
    ...(namespace !== undefined && { namespace }),
  };
  const answer = await client.request('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: resource.startsWith('/')
        ? { nonResourceAttributes: { verb, path: resource } }
        : { resourceAttributes: attributes },
    },
    ...(signal && { signal }),
  });
  return field(answer, 'status', 'allowed') === true;
}
