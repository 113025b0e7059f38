import { anySourceAnnotation } from '../../model/labels.ts';
import { field, list, text } from '../../model/rendered.ts';
import type { KubernetesObject } from '../../model/mesh-model.ts';
import type { Violation } from './rule.ts';

/** Load balancers that anybody may call, without a reason. */
export function openToAll(object: KubernetesObject): readonly Violation[] {
  if (object.kind !== 'Service' || text(object, 'spec', 'type') !== 'LoadBalancer') return [];
  if ((text(object, 'metadata', 'annotations', anySourceAnnotation) ?? '').trim() !== '') return [];
  const ranges = list(object, 'spec', 'loadBalancerSourceRanges');
  const open = ranges.find((range) => typeof range === 'string' && /\/0+$/.test(range));
  if (ranges.length > 0 && open === undefined) return [];
  const found =
    field(object, 'spec', 'loadBalancerSourceRanges') === undefined
      ? 'is missing'
      : ranges.length === 0
        ? 'is empty'
        : `contains ${String(open)}`;
  const what = `spec.loadBalancerSourceRanges ${found}: any address may call this load balancer`;
  const fix = `list the ranges that may, or give the reason in the annotation ${anySourceAnnotation}`;
  return [{ what, fix }];
}

/** Groups of Kubernetes' own that contain every account, or everybody. */
const everybody = [
  'system:anonymous',
  'system:unauthenticated',
  'system:authenticated',
  'system:serviceaccounts',
];
const usersRole = ['cluster-admin', 'admin', 'edit'];

/** Whether a binding is to one of Kubernetes' own roles whose rights are those of others, too. */
export function bindsKubernetesRole(object: KubernetesObject): boolean {
  const role = text(object, 'roleRef', 'name') ?? '';
  return (
    text(object, 'roleRef', 'kind') !== 'Role' && (usersRole.includes(role) || role.startsWith('system:'))
  );
}

/** Who gets the rights of a binding, where that is more than one account; and what of Kubernetes' own roles it gives. */
function boundTo(object: KubernetesObject): readonly Violation[] {
  const role = text(object, 'roleRef', 'name') ?? '';
  const subjects = list(object, 'subjects').map((subject) => text(subject, 'name') ?? '');
  return [
    ...(bindsKubernetesRole(object)
      ? [
          {
            what:
              role === 'cluster-admin'
                ? 'roleRef gives every right'
                : 'roleRef is a role of Kubernetes for its users or its own parts, whose rights are those of others, too',
            received: role,
            fix,
          },
        ]
      : []),
    ...subjects
      .filter((name) => name.startsWith('system:') && !name.startsWith('system:serviceaccount:'))
      .map((received) => ({
        what: everybody.includes(received)
          ? 'subjects has a group that contains every account, or everybody'
          : "subjects has a group or a user of Kubernetes' own",
        received,
        fix,
      })),
  ];
}

const fix = 'name the verbs and resources that are needed, for the account that needs them';

/** Bindings that give an account the whole cluster, or more accounts than one what they bind. What roles allow is role-rules.ts's. */
export function bindsMore(object: KubernetesObject): readonly Violation[] {
  const isBinding =
    object.apiVersion.startsWith('rbac.authorization.k8s.io/') && object.kind.endsWith('Binding');
  return isBinding ? boundTo(object) : [];
}

/** Kinds by which somebody else's program decides on, or changes, what everybody writes into the API server, or answers in its place. */
const deciding: Readonly<Record<string, string>> = {
  'admissionregistration.k8s.io MutatingWebhookConfiguration':
    'has a program change what anybody writes in the cluster',
  'admissionregistration.k8s.io ValidatingWebhookConfiguration':
    'shows a program whatever anybody writes in the cluster, Secrets among it',
  'admissionregistration.k8s.io MutatingAdmissionPolicy': 'changes what anybody writes in the cluster',
  'admissionregistration.k8s.io MutatingAdmissionPolicyBinding': 'changes what anybody writes in the cluster',
  'apiregistration.k8s.io APIService':
    'has a program answer for an API of the cluster, which gets what others ask and write',
};

/** What makes others than the API server decide what objects are, those of the mesh among them. */
export function decidesForCluster(object: KubernetesObject): readonly Violation[] {
  const group = object.apiVersion.split('/').slice(0, -1).join('/');
  const does = deciding[`${group} ${object.kind}`];
  if (does === undefined) return [];
  return [{ what: does, fix: 'have the owners of the cluster apply it' }];
}

/** Volumes that are folders or disks of a node: whoever claims one has that, whatever the level of their namespace. */
export function volumeOfNode(object: KubernetesObject): readonly Violation[] {
  if (object.kind !== 'PersistentVolume' || object.apiVersion !== 'v1') return [];
  return (['hostPath', 'local'] as const).flatMap((key): readonly Violation[] => {
    const received = text(object, 'spec', key, 'path');
    if (received === undefined) return [];
    const what = `spec.${key} is a folder or a disk of the node`;
    return [{ what, received, fix: 'use a volume of a CSI driver' }];
  });
}
