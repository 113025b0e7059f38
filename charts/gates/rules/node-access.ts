import { field, list, text } from '../../model/rendered.ts';
import type { KubernetesObject } from '../../model/mesh-model.ts';
import { containersOf, ofEachPod } from './containers.ts';
import { confinement } from './confinement.ts';
import type { Violation } from './rule.ts';

/** What the level `restricted` forbids, and whether `baseline` does not. */
type Found = readonly [mild: boolean, violation: Violation];

/**
 * What lets a pod reach its node, which the Pod Security level `restricted` of the mesh's namespaces forbids
 * (https://kubernetes.io/docs/concepts/security/pod-security-standards/): the API server would refuse the pods, not their
 * Deployment, so that a roll-out would stand still. What `restricted` asks to be written is ../pod-security.ts's.
 */
export function reachesNode(object: KubernetesObject): readonly Violation[] {
  return ofEachPod(object, (pod) => foundIn(pod).map(([, violation]) => violation));
}

/** What of that the level `baseline` forbids, too: it lets pods be root, with what root has by itself. */
export function beyondBaseline(object: KubernetesObject): readonly Violation[] {
  return ofEachPod(object, (pod) => foundIn(pod).flatMap(([mild, violation]) => (mild ? [] : [violation])));
}

function foundIn(pod: unknown): readonly Found[] {
  const fix = 'remove it: the pod would share what belongs to the node';
  const spec = (['hostNetwork', 'hostPID', 'hostIPC'] as const)
    .filter((key) => field(pod, 'spec', key) === true)
    .map((key) => ({ what: `${key} is set`, received: true, fix }));
  const volumes = list(pod, 'spec', 'volumes').flatMap((volume) => {
    const path = text(volume, 'hostPath', 'path');
    if (path === undefined) return [];
    return [{ what: `volumes[${text(volume, 'name') ?? ''}] is a folder of the node`, received: path, fix }];
  });
  return [
    ...[...spec, ...volumes, ...confinement(pod)].map((one): Found => [false, one]),
    ...identityOf('securityContext', field(pod, 'spec', 'securityContext')),
    ...containersOf(pod).flatMap(([where, container]) => [
      ...list(container, 'ports').flatMap((port): readonly Found[] => {
        const received = field(port, 'hostPort');
        if (received === undefined) return [];
        return [[false, { what: `${where} takes a port of the node`, received, fix }]];
      }),
      ...identityOf(`${where}.securityContext`, field(container, 'securityContext')),
      ...privileges(where, field(container, 'securityContext')),
    ]),
  ];
}

function identityOf(where: string, context: unknown): readonly Found[] {
  const fix = 'run as a user other than root';
  const [user, isOther] = [field(context, 'runAsUser'), field(context, 'runAsNonRoot')];
  const what = `${where}.runAsNonRoot is false: the container may run as root`;
  return [
    ...(user === 0
      ? [[true, { what: `${where}.runAsUser is root`, received: user, fix }] satisfies Found]
      : []),
    ...(isOther === false ? [[true, { what, received: isOther, fix }] satisfies Found] : []),
  ];
}

/** Capabilities that containers have unless they drop them. */
const usual: readonly unknown[] = [
  ...['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE'],
  ...['SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'],
];

function privileges(where: string, context: unknown): readonly Found[] {
  const fix = 'remove it';
  const flags = (['privileged', 'allowPrivilegeEscalation'] as const)
    .filter((key) => field(context, key) === true)
    .map((key): Found => [
      key === 'allowPrivilegeEscalation',
      { what: `${where}.securityContext.${key} is set`, received: true, fix },
    ]);
  const added = list(context, 'capabilities', 'add').filter((name) => name !== 'NET_BIND_SERVICE');
  const what = `${where}.securityContext.capabilities.add goes beyond what the level restricted allows`;
  return [
    ...flags,
    ...added.map((received): Found => [
      usual.includes(received),
      { what, received, allowed: 'NET_BIND_SERVICE', fix },
    ]),
  ];
}

/** Where a pod, or a container of it, asks for no filter of system calls, which the level `baseline` forbids as well. */
export function unfiltered(pod: unknown): readonly string[] {
  const contexts = [
    ['securityContext', field(pod, 'spec', 'securityContext')] as const,
    ...containersOf(pod).map(
      ([where, container]) => [`${where}.securityContext`, field(container, 'securityContext')] as const,
    ),
  ];
  return contexts
    .filter(([, context]) => field(context, 'seccompProfile', 'type') === 'Unconfined')
    .map(([where]) => `${where}.seccompProfile.type`);
}
