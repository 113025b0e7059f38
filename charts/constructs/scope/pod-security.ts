/** Levels of the Pod Security Standards that namespaces of a mesh enforce. */
export type PodSecurity = 'privileged' | 'restricted';

/**
 * Labels that hold a namespace's pods to a Pod Security level: pods that break it are refused, and whoever applies
 * their Deployment is warned (https://kubernetes.io/docs/concepts/security/pod-security-admission/).
 */
export function podSecurityLabels(level: PodSecurity): Readonly<Record<string, string>> {
  return { 'pod-security.kubernetes.io/enforce': level, 'pod-security.kubernetes.io/warn': level };
}
