import { stringify } from 'yaml';
import {
  eastWestGateway,
  ingressGateway,
  controlPlaneNamespace,
} from '../../charts/constructs/scope/names.ts';
import { managedLabels, type KubeObject } from '../kube/kube-object.ts';
import {
  outsiderNamespace,
  rightsOf,
  type Command,
  type Place,
  type RightsFor,
} from '../preflight/rights.ts';

const group = 'rbac.authorization.k8s.io';
const version = `${group}/v1`;

/** Namespaces by what the mesh does with them; whoever has others puts them in their place. */
interface Namespaces {
  /** Made by the mesh. */
  readonly made: readonly string[];
  /** Of others, in which it has workloads. */
  readonly shared: readonly string[];
}

const onOwnIstio: Namespaces = {
  made: [controlPlaneNamespace, ingressGateway.namespace, eastWestGateway.namespace, 'shop'],
  shared: [],
};
const onIstioOfOthers: Namespaces = { made: ['shop-ingress', 'shop'], shared: ['team-a'] };

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
  const { made, shared } = scope.onExisting === true ? onIstioOfOthers : onOwnIstio;
  const objects: readonly object[] = [
    { apiVersion: version, kind: 'ClusterRole', metadata: { name }, rules: rulesAt('cluster') },
    bound('ClusterRole', name),
    { apiVersion: version, kind: 'ClusterRole', metadata: { name: inMesh }, rules: rulesAt('mesh') },
    ...[...made, ...shared].flatMap((namespace) => [
      ...(command === 'up' && made.includes(namespace) ? [madeBefore(namespace)] : []),
      bound('ClusterRole', inMesh, namespace),
    ]),
    ...role('control-plane', controlPlaneNamespace),
    ...role('default', outsiderNamespace),
  ];
  const documents = objects.map((object) =>
    stringify(object, { aliasDuplicateObjects: false, singleQuote: true }),
  );
  return `${comment(command, scope.onExisting === true)}${documents.join('---\n')}`;
}

/** A namespace that `up` takes for its own, though somebody else made it. */
function madeBefore(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: managedLabels('shop') } };
}

function groupOf(resource: string): string {
  return /\.(.*)$/.exec(resource)?.[1] ?? '';
}

function comment(command: Command, onExisting: boolean): string {
  const lines = onExisting
    ? [
        `# The least rights for \`${command}\` on an Istio of others, for one cluster of the mesh \`shop\`, whose services are in its own`,
        '# namespace `shop` and in `team-a`, which it shares. The root namespace of Istio is `istio-system`.',
        '# Put your mesh and your namespaces in their place. See docs/existing-istio.md.',
      ]
    : [
        `# The least rights for \`${command}\`, for one cluster of the mesh \`shop\`, whose services are in the namespace \`shop\`.`,
        '# Put your mesh, your namespaces and your clusters in their place, and add a name for each revision of Istio.',
        '# See docs/existing-clusters.md.',
      ];
  return `${lines.join('\n')} Made from the table that \`up\` checks (infra/preflight/rights.ts):
# UPDATE_GOLDEN=1 npm run test:unit -- infra/preflight/rights
`;
}
