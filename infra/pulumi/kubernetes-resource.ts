import * as pulumi from '@pulumi/pulumi';
import { count, describe } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { isVolume } from '../apply/kept-claims.ts';
import { replacedBy } from '../plan/replaced.ts';

/** The output of the provider in addition to the inputs. */
interface Answer {
  readonly status: unknown;
}

/** Options that every object needs: no resource may use a default provider or lack a parent. */
export interface KubernetesResourceOptions {
  readonly parent: pulumi.Resource;
  readonly provider: pulumi.ProviderResource;
  readonly dependsOn: pulumi.Input<pulumi.Input<pulumi.Resource>[]>;
  readonly protect?: boolean;
  readonly ignoreChanges?: readonly string[];
}

/**
 * A Kubernetes object of any kind as a Pulumi resource, with exactly the fields of the plan. The SDK's typed classes would
 * do the same, but custom resources have none, and with one class both drivers apply the same objects. The resource name
 * consists of cluster, namespace and name, so the resource stays the same when the object moves to another stage.
 */
export class KubernetesResource extends pulumi.CustomResource {
  declare readonly status: pulumi.Output<Answer['status']>;

  /**
   * @param object - at least the fields that identify the object
   * @param made - resolves to the content of a Secret or ConfigMap that is created only when its stage starts
   */
  constructor(
    cluster: string,
    object: KubeObject,
    options: KubernetesResourceOptions,
    made?: Promise<KubeObject>,
  ) {
    const { ignoreChanges = [], ...rest } = options;
    const replaced = replacedBy(object).map((path) => path.join('.'));
    super(
      typeToken(object),
      `${cluster}/${resourceName(object)}`,
      { status: undefined, ...inputsOf(object, made) },
      {
        ...rest,
        ...(object.kind === 'Secret' && { additionalSecretOutputs: ['data', 'stringData'] }),
        // What a claim or a volume holds, nobody else has: Pulumi forgets it, and leaves it where it is.
        ...(isVolume(object) && { retainOnDelete: true }),
        // Names are fixed, so the old and the new object cannot exist at the same time.
        ...(replaced.length > 0 && { replaceOnChanges: replaced, deleteBeforeReplace: true }),
        ...timeoutsOf(object),
        ignoreChanges: [...ignoreChanges, ...(filledInByIstiod[object.kind] ?? [])],
      },
    );
  }
}

/** The provider waits for a Job's end, ten minutes unless told otherwise: for as long as it may take, and a minute for its controller. */
function timeoutsOf(object: KubeObject): Pick<pulumi.CustomResourceOptions, 'customTimeouts'> {
  const seconds = count(object, 'spec', 'activeDeadlineSeconds');
  if (object.kind !== 'Job' || seconds === 0) return {};
  const most = `${seconds + 60}s`;
  return { customTimeouts: { create: most, update: most } };
}

/** Fields that istiod writes after it has started (see `yieldToIstiod`): a difference in them is not a change. */
const filledInByIstiod: Readonly<Record<string, readonly string[]>> = {
  ValidatingWebhookConfiguration: ['webhooks[*].clientConfig.caBundle', 'webhooks[*].failurePolicy'],
  MutatingWebhookConfiguration: ['webhooks[*].clientConfig.caBundle'],
};

/** The provider's type of an object: `kubernetes:apps/v1:Deployment`, and the core group written out. */
export function typeToken({ apiVersion, kind }: KubeObject): string {
  return `kubernetes:${apiVersion.includes('/') ? apiVersion : `core/${apiVersion}`}:${kind}`;
}

/** `shop/catalog`, or only the name for a cluster-scoped object. */
export function resourceName(object: KubeObject): string {
  return describe(object).slice(object.kind.length + 1);
}

/** The inputs of a resource. The data of a Secret is secret in Pulumi's state and output too, even before it is created. */
function inputsOf(object: KubeObject, made: Promise<KubeObject> | undefined): pulumi.Inputs {
  const { apiVersion, kind } = object;
  if (made !== undefined) {
    const metadata = made.then((it) => it.metadata);
    const data = made.then((it) => it['data']);
    return kind === 'Secret'
      ? { apiVersion, kind, metadata, type: made.then((it) => it['type']), data: pulumi.secret(data) }
      : { apiVersion, kind, metadata, data };
  }
  if (kind !== 'Secret') return { ...object };
  const held = (['data', 'stringData'] as const).filter((key) => object[key] !== undefined);
  return { ...object, ...Object.fromEntries(held.map((key) => [key, pulumi.secret(object[key])])) };
}
