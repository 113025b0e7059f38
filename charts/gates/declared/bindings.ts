import { rightsOfOthers } from '../../../core/rights.ts';
import type { Problem } from '../../../core/problem.ts';
import { list, ofKind, text, title } from '../../model/rendered.ts';
import type { RenderedCluster, RenderedObject } from '../../model/rendered.ts';
import { bindsKubernetesRole } from '../rules/cluster-rules.ts';
import { rightsIn } from '../rules/role-rules.ts';
import { closed, orReason } from './own.ts';

/** Roles of Kubernetes that read, and no Secrets (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles). */
const reading = ['view'];

/**
 * What a binding of one's own gives that no role of one's own says: the rights of a role that the mesh has for its parts, or that is not declared. And Secrets of a
 * name, where a role is bound in more namespaces than those of applications: the mesh has Secrets there, whose names everybody knows.
 */
export function boundProblems(
  { where, object }: RenderedObject,
  cluster: RenderedCluster,
  rule: string,
): readonly Problem[] {
  if (!object.kind.endsWith('Binding') || bindsKubernetesRole(object)) return [];
  const name = text(object, 'roleRef', 'name') ?? '';
  const kind = text(object, 'roleRef', 'kind') ?? 'ClusterRole';
  const { namespace } = object.metadata;
  const roles = ofKind(cluster, kind).filter(
    (one) =>
      one.object.metadata.name === name && (kind !== 'Role' || one.object.metadata.namespace === namespace),
  );
  const own = roles.filter((one) => one.own === true);
  const problem = (what: string, received: unknown, fix: string): Problem => ({
    where,
    what: `${title(object)}: ${what}`,
    received,
    fix: orReason(fix, rule),
  });
  if (own.length > 0) {
    const isWide = object.kind === 'ClusterRoleBinding' || closed.includes(namespace ?? '');
    const secrets = isWide ? own.flatMap((role) => namedSecrets(role)) : [];
    if (secrets.length === 0) return [];
    const what = `${kind} ${name} is bound where the mesh has Secrets, and reads those of these names`;
    return [problem(what, secrets, 'bind it by a RoleBinding in the namespace of the application')];
  }
  const [theirs] = roles;
  if (theirs !== undefined)
    return [
      problem(
        `roleRef is a role of ${theirs.where}, whose rights it gives away`,
        name,
        'bind a role of your own',
      ),
    ];
  if (kind !== 'Role' && reading.includes(name)) return [];
  return [
    problem(
      'roleRef is a role that is not declared, so that nobody sees what it gives',
      name,
      'declare the role',
    ),
  ];
}

/** The names of the Secrets that a role may read or write. */
function namedSecrets({ object }: RenderedObject): readonly string[] {
  return list(object, 'rules').flatMap((given) => {
    const rights = rightsIn(given);
    const reads = rightsOfOthers({ ...rights, resourceNames: [] }).includes('secrets');
    return reads ? rights.resourceNames : [];
  });
}
