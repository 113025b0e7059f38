import { ProblemsError } from '../../core/problem.ts';
import { field, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Plan, PlanStep } from '../plan/plan.ts';
import type { CaVolume } from '../plan/stack-config.ts';

/** Of the volume in istiod's pods, and where istiod finds it; `/etc/cacerts` is the Secret's. */
const volumeName = 'meshwright-ca';
const mountPath = '/etc/meshwright/ca';

/** `CSI driver secrets-store.csi.k8s.io (secretProviderClass: mesh-ca)` */
export function describeVolume({ driver, volumeAttributes }: CaVolume): string {
  const attributes = Object.entries(volumeAttributes).map(([name, value]) => `${name}: ${value}`);
  return `CSI driver ${driver}${attributes.length === 0 ? '' : ` (${attributes.join(', ')})`}`;
}

/**
 * The plan for a mesh whose control planes read their CAs from a volume of a CSI driver: the driver gets them from a vault,
 * and no Secret of a cluster holds the key of a CA. Nobody makes `cacerts`, and as with an issuer the plan has no trust
 * anchors: every istiod sends the root of its own CA.
 * @throws ProblemsError (exit 2) on an Istio of others.
 */
export function withCaVolume(plan: Plan, caVolume: CaVolume | undefined): Plan {
  if (caVolume === undefined) return plan;
  if (plan.existing !== undefined) {
    throw new ProblemsError([
      {
        where: 'trust.csi',
        what: 'has no effect on an Istio of others, whose CAs its owners choose',
        received: describeVolume(caVolume),
        fix: 'leave it out of the stack file',
      },
    ]);
  }
  const steps = plan.steps.map((step): PlanStep => ({
    ...step,
    secrets: step.secrets.filter(({ kind }) => kind === 'remote-secret'),
  }));
  return { ...plan, caVolume, steps };
}

/**
 * The objects of an Istio release, with the volume in the pods of every revision's istiod, which reads its CA from there
 * (`ROOT_CA_DIR`, pilot/pkg/bootstrap/istio_ca.go) and follows changes of the files. The chart's own volume for the Secret
 * `cacerts` stays, and is empty without that Secret.
 */
export function mountCa(
  release: readonly KubeObject[],
  { driver, volumeAttributes }: CaVolume,
): readonly KubeObject[] {
  return release.map((object) => {
    if (!isIstiod(object)) return object;
    const { spec } = object as KubeObject & { readonly spec: PodOwner };
    const pod = spec.template.spec;
    const volume = { name: volumeName, csi: { driver, readOnly: true, volumeAttributes } };
    const containers = pod.containers.map((container) =>
      container.name !== 'discovery'
        ? container
        : {
            ...container,
            env: [...(container.env ?? []), { name: 'ROOT_CA_DIR', value: mountPath }],
            volumeMounts: [
              ...(container.volumeMounts ?? []),
              { name: volumeName, mountPath, readOnly: true },
            ],
          },
    );
    const withVolume = { ...pod, containers, volumes: [...(pod.volumes ?? []), volume] };
    return { ...object, spec: { ...spec, template: { ...spec.template, spec: withVolume } } };
  });
}

/** The volume that a live Deployment of istiod reads its CA from; undefined for one that reads the Secret `cacerts`. */
export function caVolumeOf(deployment: KubeObject): CaVolume | undefined {
  const volume = list(deployment, 'spec', 'template', 'spec', 'volumes').find(
    (one) => text(one, 'name') === volumeName,
  );
  const driver = text(volume, 'csi', 'driver');
  if (driver === undefined) return undefined;
  const attributes = field(volume, 'csi', 'volumeAttributes') ?? {};
  return { driver, volumeAttributes: attributes as Readonly<Record<string, string>> };
}

function isIstiod({ kind, metadata }: KubeObject): boolean {
  return kind === 'Deployment' && metadata.labels?.['app'] === 'istiod';
}

interface PodOwner {
  readonly template: {
    readonly spec: {
      readonly containers: readonly {
        readonly name: string;
        readonly env?: readonly unknown[];
        readonly volumeMounts?: readonly unknown[];
      }[];
      readonly volumes?: readonly unknown[];
    };
  };
}
