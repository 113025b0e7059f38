import { field, list, mapping, text } from '../../model/rendered.ts';
import { containersOf } from './containers.ts';
import type { Violation } from './rule.ts';

const fix = 'remove it';

/** Parameters of the kernel that are a pod's own (https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline). */
const safeParameters = [
  ...['kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.ip_unprivileged_port_start'],
  ...['net.ipv4.tcp_syncookies', 'net.ipv4.ping_group_range', 'net.ipv4.ip_local_reserved_ports'],
  ...['net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_keepalive_intvl'],
  'net.ipv4.tcp_keepalive_probes',
];
const safeTypes = ['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'];
const profile = 'container.apparmor.security.beta.kubernetes.io/';

/** What takes away that the kernel confines containers, which the Pod Security level `baseline` forbids already. */
export function confinement(pod: unknown): readonly Violation[] {
  const contexts = [
    ['securityContext', field(pod, 'spec', 'securityContext')] as const,
    ...containersOf(pod).map(
      ([where, container]) => [`${where}.securityContext`, field(container, 'securityContext')] as const,
    ),
  ];
  return [
    ...Object.entries(mapping(pod, 'metadata', 'annotations'))
      .filter(([name, value]) => name.startsWith(profile) && value === 'unconfined')
      .map(([name, received]) => ({
        what: `the annotation ${name} confines the container by nothing`,
        received,
        fix,
      })),
    ...contexts.flatMap(([where, context]) => ofContext(where, context)),
    ...list(pod, 'spec', 'securityContext', 'sysctls').flatMap((one) => {
      const received = text(one, 'name');
      if (safeParameters.includes(received ?? '')) return [];
      return [
        {
          what: 'securityContext.sysctls sets a parameter of the kernel that the node shares',
          received,
          fix,
        },
      ];
    }),
  ];
}

function ofContext(where: string, context: unknown): readonly Violation[] {
  const said: readonly (readonly [path: string, isSafe: boolean, what: string])[] = [
    [
      'appArmorProfile.type',
      field(context, 'appArmorProfile', 'type') !== 'Unconfined',
      'confines by nothing',
    ],
    [
      'procMount',
      ['Default', undefined].includes(text(context, 'procMount')),
      'shows what the node keeps in /proc',
    ],
    [
      'windowsOptions.hostProcess',
      field(context, 'windowsOptions', 'hostProcess') !== true,
      'runs on the node itself',
    ],
    [
      'seLinuxOptions.type',
      safeTypes.includes(text(context, 'seLinuxOptions', 'type') ?? ''),
      'confines by other rules than those of containers',
    ],
    ...(['user', 'role'] as const).map(
      (key) =>
        [
          `seLinuxOptions.${key}`,
          (text(context, 'seLinuxOptions', key) ?? '') === '',
          'is not for pods to choose',
        ] as const,
    ),
  ];
  return said
    .filter(([, isSafe]) => !isSafe)
    .map(([path, , what]) => ({
      what: `${where}.${path} ${what}`,
      received: field(context, ...path.split('.')),
      fix,
    }));
}
