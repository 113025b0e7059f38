import { describe, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { concurrency } from '../kube/managed.ts';
import { pool } from '../kube/pool.ts';
import { isAllowed } from './access-review.ts';
import type { Access } from './access-review.ts';

const group = 'rbac.authorization.k8s.io';

/** A role or a binding that the API server would refuse. */
interface Refused {
  /** `escalate on clusterroles.rbac.authorization.k8s.io` */
  readonly need: string;
  /** The role that grants more than the credentials have. */
  readonly role: string;
  /** One permission that the role grants and the credentials lack. */
  readonly lacks: string;
}

/**
 * Permissions that are missing to create roles and bindings. Credentials cannot grant more than they have, unless they may
 * `escalate` or `bind` the role
 * (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping).
 * Credentials with every permission that a role grants need neither.
 * @param objects - all objects to apply; bindings of roles that are not among them are skipped, as their rules are unknown
 * @returns one phrase for each verb and kind
 */
export async function missingGrants(
  client: KubeClient,
  objects: readonly KubeObject[],
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const known = new Map<string, boolean>();
  const lacks = async (access: Access) => {
    const key = JSON.stringify(access);
    const allowed = known.get(key) ?? (await isAllowed(client, access, signal));
    known.set(key, allowed);
    return !allowed;
  };
  const roles = objects.filter(({ kind }) => ['Role', 'ClusterRole'].includes(kind));
  const attempts = objects.flatMap((object) => {
    const { namespace } = object.metadata;
    if (roles.includes(object)) return [{ verb: 'escalate', role: object, namespace }];
    if (!['RoleBinding', 'ClusterRoleBinding'].includes(object.kind)) return [];
    return roles.filter(isBoundBy(object)).map((role) => ({ verb: 'bind', role, namespace }));
  });
  const refused = await pool(attempts, concurrency, async ({ verb, role, namespace }) => {
    const scope = namespace === undefined ? {} : { namespace };
    const resource = `${role.kind.toLowerCase()}s.${group}`;
    if (!(await lacks({ verb, resource, name: role.metadata.name, ...scope }))) return [];
    for (const access of list(role, 'rules').flatMap(accessesOf)) {
      const grant = { ...access, ...scope };
      if (await lacks(grant))
        return [{ need: `${verb} on ${resource}`, role: describe(role), lacks: inWords(grant) }];
    }
    return [];
  });
  const byNeed = Map.groupBy(refused.flat(), ({ need }) => need);
  return [...byNeed].map(([need, all]) => `${need}, because ${described(all)}`);
}

/** `ClusterRole istiod grants permissions that they lack, such as get on secrets`. */
function described(refused: readonly Refused[]): string {
  const [first] = refused;
  const roles = new Set(refused.map(({ role }) => role));
  const more = roles.size === 1 ? ' grants' : ` and ${roles.size - 1} more grant`;
  return `${first?.role ?? ''}${more} permissions that they lack, such as ${first?.lacks ?? ''}`;
}

function isBoundBy(binding: KubeObject): (role: KubeObject) => boolean {
  const [kind, name] = [text(binding, 'roleRef', 'kind'), text(binding, 'roleRef', 'name')];
  return (role) =>
    role.kind === kind &&
    role.metadata.name === name &&
    (kind === 'ClusterRole' || role.metadata.namespace === binding.metadata.namespace);
}

/** Everything that a rule grants, one by one. */
function accessesOf(rule: unknown): readonly Access[] {
  const texts = (key: string) => list(rule, key).map(String);
  const names = texts('resourceNames');
  return texts('verbs').flatMap((verb) => [
    ...texts('nonResourceURLs').map((resource) => ({ verb, resource })),
    ...texts('apiGroups').flatMap((apiGroup) =>
      texts('resources').flatMap((plural): readonly Access[] => {
        const resource = apiGroup === '' ? plural : `${plural}.${apiGroup}`;
        return names.length === 0 ? [{ verb, resource }] : names.map((name) => ({ verb, resource, name }));
      }),
    ),
  ]);
}

function inWords({ verb, resource, name, namespace }: Access): string {
  return `${verb} on ${resource}${name === undefined ? '' : ` ${name}`}${namespace === undefined ? '' : ` in ${namespace}`}`;
}
