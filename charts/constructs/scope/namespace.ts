import { k8s } from 'cdk8s-plus-28';
import { dnsLabelRule, isDnsLabel } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';
import { MeshConstruct } from './mesh-construct.ts';
import type { Mesh } from '../mesh.ts';
import { reservedNamespaces } from './names.ts';
import type { Projection } from './projection.ts';
import { injectionLabels, ofRevision, revisionOf } from './revisions.ts';

/** Levels of the Pod Security Standards that namespaces of a mesh enforce. */
export type PodSecurity = 'privileged' | 'restricted';

/**
 * Labels that hold a namespace's pods to a Pod Security level: pods that break it are refused, and whoever applies
 * their Deployment is warned (https://kubernetes.io/docs/concepts/security/pod-security-admission/).
 */
export function podSecurityLabels(level: PodSecurity): Readonly<Record<string, string>> {
  return { 'pod-security.kubernetes.io/enforce': level, 'pod-security.kubernetes.io/warn': level };
}

/**
 * An application namespace, the same in every cluster: a namespace is one identity space across the mesh.
 * Pods get a sidecar, and are held to the `restricted` Pod Security level.
 */
export class Namespace<C extends string> extends MeshConstruct<C> {
  readonly mesh: Mesh<C>;
  readonly name: string;

  constructor(scope: Mesh<C>, name: string) {
    super(scope, name);
    this.mesh = scope;
    this.name = name;
  }

  override problems(): readonly Problem[] {
    const { where, name: received } = this;
    if (!isDnsLabel(received)) {
      return [{ where, what: 'the namespace has a wrong name', received, allowed: dnsLabelRule }];
    }
    if (reservedNamespaces.includes(received)) {
      return [{ where, what: 'the namespace is not for applications', received, fix: 'choose another name' }];
    }
    if (this.isDuplicate) {
      return [{ where, what: 'the namespace is declared twice', received, fix: 'keep one and share it' }];
    }
    return [];
  }

  override project(into: Projection): void {
    const injection = injectionLabels(revisionOf(into.cluster, this.name));
    const labels = { ...injection, ...podSecurityLabels('restricted') };
    into.add('00-namespaces', k8s.KubeNamespace, { name: this.name, labels, differs: ofRevision }, {});
  }
}
