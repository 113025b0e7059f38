import { field, list } from '../../model/rendered.ts';
import { containersOf } from './containers.ts';

const podProfile = ['spec', 'securityContext', 'seccompProfile', 'type'];
const profileFix = 'seccompProfile: { type: RuntimeDefault }';

/** What a part of a pod has to say for the level `restricted`, and does not. */
export interface Missing {
  /** `containers[cart]`. */
  readonly where: string;
  /** As its YAML would. */
  readonly missing: readonly string[];
}

/** Whether pods say of themselves that their containers are confined. */
export function isConfined(pod: unknown): boolean {
  return confines(field(pod, ...podProfile));
}

/**
 * What containers of a pod have to say for the level `restricted`, and do not. What they say wrongly is against a rule already.
 * @param isAsked - whether the pod is asked for the profile: it is the containers', too, where they have none
 */
export function missingFor(pod: unknown, isAsked = false): readonly Missing[] {
  return containersOf(pod).flatMap(([where, container]) => {
    const missing = unsaid(pod, container, isAsked);
    return missing.length === 0 ? [] : [{ where, missing }];
  });
}

export { profileFix };

function confines(profile: unknown): boolean {
  return profile === 'RuntimeDefault' || profile === 'Localhost';
}

function unsaid(pod: unknown, container: unknown, isAsked: boolean): readonly string[] {
  const own = (...path: readonly string[]) => field(container, 'securityContext', ...path);
  const shared = (...path: readonly string[]) => field(pod, 'spec', 'securityContext', ...path);
  const profile = own('seccompProfile', 'type') ?? (isAsked ? undefined : field(pod, ...podProfile));
  return [
    // What is null is as if it was not there.
    ...((own('allowPrivilegeEscalation') ?? undefined) === undefined
      ? ['allowPrivilegeEscalation: false']
      : []),
    ...(list(container, 'securityContext', 'capabilities', 'drop').includes('ALL')
      ? []
      : ['capabilities: { drop: [ALL] }']),
    ...((own('runAsNonRoot') ?? shared('runAsNonRoot') ?? undefined) === undefined
      ? ['runAsNonRoot: true']
      : []),
    ...(confines(profile) || (isAsked && profile === undefined) ? [] : [profileFix]),
  ];
}

/** Kinds of volumes that the level allows. */
export const sources: readonly string[] = [
  ...['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected'],
  'secret',
];

/** The source of a volume, where the level does not allow it; a folder of the node is against a rule already. */
export function otherSource(volume: unknown): string | undefined {
  const [source] = Object.keys(volume ?? {}).filter((key) => key !== 'name');
  return source === undefined || source === 'hostPath' || sources.includes(source) ? undefined : source;
}
