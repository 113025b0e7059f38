/**
 * Labels that say whose an object is and which control plane it belongs to: written by synth, read by the drivers. Objects
 * in clusters carry them, so neither a name nor a value may ever change: `down` and prune would no longer find what an
 * earlier version applied.
 */

/** Kubernetes' recommended label for the tool that manages an object; its value is {@link manager}. */
export const managedByLabel = 'app.kubernetes.io/managed-by';

/** Kubernetes' recommended label for what an object is part of: here, the name of its mesh. */
export const partOfLabel = 'app.kubernetes.io/part-of';

/** Kubernetes' recommended label for the name of an application: here, of a workload. */
export const nameLabel = 'app.kubernetes.io/name';

/** Value of {@link managedByLabel}, and field manager of every server-side apply. */
export const manager = 'meshwright';

/** Labels of every object and pod of a mesh. Together they tell its pods from those of others. */
export function labelsOf(mesh: string): Readonly<Record<string, string>> {
  return { [managedByLabel]: manager, [partOfLabel]: mesh };
}

/** Istio's label for the control plane that something belongs to; its webhook also writes it as an annotation on pods. */
export const revisionLabel = 'istio.io/rev';

/** The revision that has no name of its own, as Istio calls it. */
export const defaultRevision = 'default';

/** Annotation of a LoadBalancer Service that any address may call; its value is the reason. */
export const anySourceAnnotation = 'meshwright/any-source';

/**
 * Annotation of the control plane's namespace, or on an Istio of others of each default deny: the version of meshwright that
 * rendered the mesh, `0.1.0`.
 */
export const versionAnnotation = 'meshwright/version';

/** Annotation of an object whose end `up` awaits, as it stands for work that has to be done: a Job, to be `complete`. */
export const awaitedAnnotation = 'meshwright/awaited';

/**
 * Istio's annotation of pods that want their proxy as a native sidecar, a container that Kubernetes ends when the others have ended
 * (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#jobs-with-sidecar-containers).
 */
export const nativeSidecarAnnotation = 'sidecar.istio.io/nativeSidecar';
