import { stringify } from 'yaml';
import {
  eastWestGateway,
  ingressGateway,
  controlPlaneNamespace,
} from '../../charts/constructs/scope/names.ts';
import { managedLabels, type KubeObject } from '../kube/kube-object.ts';
import { outsiderPod, rightsOf, type Command, type Place, type RightsFor } from '../preflight/rights.ts';

const group = 'rbac.authorization.k8s.io';
const version = `${group}/v1`;

/** The sample's namespace of services; whoever has others puts them in its place. */
const ownNamespaces = ['shop'];

/** The least rights for a command as objects of Kubernetes, with a comment above. The group is who gets them. */
export function rightsYaml(command: Command, scope: RightsFor): string {
  const name = `meshwright-${command}`;
  const rights = rightsOf(command, scope);
  const rulesAt = (place: Place) => {
    const here = rights.filter((right) => right.place === place);
    const alike = Map.groupBy(here, ({ resource, verbs, names }) =>
      JSON.stringify([groupOf(resource), verbs, names]),
    );
    return [...alike.values()].map((all) => {
      const [first] = all;
      return {
        apiGroups: [groupOf(first?.resource ?? '')],
        resources: all.map(({ resource }) => resource.replace(/\..*$/, '')),
        ...(first?.names && { resourceNames: [...first.names] }),
        verbs: [...(first?.verbs ?? [])],
      };
    });
  };
  const subjects = [{ kind: 'Group', apiGroup: group, name }];
  const bound = (kind: 'Role' | 'ClusterRole', role: string, namespace?: string) => ({
    apiVersion: version,
    kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: { name: role, ...(namespace !== undefined && { namespace }) },
    roleRef: { apiGroup: group, kind, name: role },
    subjects,
  });
  const role = (place: Place, namespace: string) => {
    const rules = rulesAt(place);
    const metadata = { name: `${name}-here`, namespace };
    return rules.length === 0
      ? []
      : [{ apiVersion: version, kind: 'Role', metadata, rules }, bound('Role', metadata.name, namespace)];
  };
  const inMesh = `${name}-namespaces`;
  const namespaces = [
    controlPlaneNamespace,
    ingressGateway.namespace,
    eastWestGateway.namespace,
    ...ownNamespaces,
  ];
  const objects: readonly object[] = [
    { apiVersion: version, kind: 'ClusterRole', metadata: { name }, rules: rulesAt('cluster') },
    bound('ClusterRole', name),
    { apiVersion: version, kind: 'ClusterRole', metadata: { name: inMesh }, rules: rulesAt('mesh') },
    ...namespaces.flatMap((namespace) => [
      ...(command === 'up' ? [madeBefore(namespace)] : []),
      bound('ClusterRole', inMesh, namespace),
    ]),
    ...role('control-plane', controlPlaneNamespace),
    ...role('default', outsiderPod.namespace),
  ];
  const documents = objects.map((object) =>
    stringify(object, { aliasDuplicateObjects: false, singleQuote: true }),
  );
  return `${comment(command)}${documents.join('---\n')}`;
}

/** A namespace that `up` takes for its own, though somebody else made it. */
function madeBefore(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: managedLabels('shop') } };
}

function groupOf(resource: string): string {
  return /\.(.*)$/.exec(resource)?.[1] ?? '';
}

function comment(command: Command): string {
  return `# The least rights for \`${command}\`, for one cluster of the mesh \`shop\`, whose services are in the namespace \`shop\`.
# Put your mesh, your namespaces and your clusters in their place, and add a name for each revision of Istio.
# See docs/existing-clusters.md. Made from the table that \`up\` checks (infra/preflight/rights.ts):
# UPDATE_GOLDEN=1 npm run test:unit -- infra/preflight/rights
`;
}
