import type { PodConfig } from '../../../../apps/config/pod/pod.ts';
import type { KubernetesObject } from '../../../model/mesh-model.ts';
import type { Reworked } from '../../scope/projection.ts';
import { patched, reasonPaths, type PlacedPatch } from './patched.ts';
import { withPod, type PodsOf } from './pod-spec.ts';
import { pathOfPointer } from './pointer.ts';

/** What a Deployment is said to be in single clusters. */
export interface Differing {
  /** In what, for reviewers. */
  readonly text: string;
  /** Fields in which clusters may differ by it. */
  readonly paths: readonly (readonly string[])[];
  /** The patches of all clusters. */
  readonly patches: readonly PlacedPatch[];
}

/** Annotation of a Deployment that differs between clusters: in what, for reviewers. The same in every cluster. */
export const differsAnnotation = 'meshwright/differs';

/** The Deployment of a workload with what is said of its pods, and then with the patches. */
export function reworked(
  written: KubernetesObject,
  pod: PodConfig,
  of: PodsOf,
  patches: readonly PlacedPatch[],
  differs: Differing | undefined,
): Reworked {
  const whole = withPod(written, pod, of);
  const { object, undone, problems } = patched(noted(whole, differs), patches);
  const ofPatches = (differs?.patches ?? []).flatMap(({ patch }) => {
    const isWhole = patch.op === 'replace' || patch.op === 'test';
    return [
      pathOfPointer(whole, patch.path, isWhole),
      ...('from' in patch ? [pathOfPointer(whole, patch.from, false)] : []),
    ];
  });
  const reasons = (differs?.patches ?? []).some(({ patch }) => patch.reason !== undefined) ? reasonPaths : [];
  return {
    object: sorted(object) as KubernetesObject,
    undone,
    problems,
    paths: [...(differs?.paths ?? []), ...ofPatches, ...reasons],
  };
}

function noted(object: KubernetesObject, differs: Differing | undefined): KubernetesObject {
  if (differs === undefined) return object;
  const annotations = { ...object.metadata.annotations, [differsAnnotation]: differs.text };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** A value with its keys in order, as cdk8s writes them, and no part of it twice, which YAML would write as an alias. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
