import * as pulumi from '@pulumi/pulumi';
import { describe } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { replacedBy } from '../plan/replaced.ts';

/** What the provider answers of an object beside what it was given. */
interface Answer {
  readonly status: unknown;
}

/** What has to be said of every object: no resource is left to a default provider, or without a place in the tree. */
export interface KubernetesResourceOptions {
  readonly parent: pulumi.Resource;
  readonly provider: pulumi.ProviderResource;
  readonly dependsOn: pulumi.Input<pulumi.Input<pulumi.Resource>[]>;
  readonly protect?: boolean;
  readonly ignoreChanges?: readonly string[];
}

/**
 * A Kubernetes object of any kind as a Pulumi resource, with exactly the fields of the plan. The typed classes of
 * the SDK would do the same; custom resources have none, and one class keeps both drivers at the same objects.
 * Named by cluster, namespace and name, so that it stays the same resource when it moves to another stage.
 */
export class KubernetesResource extends pulumi.CustomResource {
  declare readonly status: pulumi.Output<Answer['status']>;

  /** @param object - what identifies the object is known now; the rest of a Secret or a ConfigMap may be made when its turn comes */
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
        // Names are fixed: two of the same cannot be there at a time.
        ...(replaced.length > 0 && { replaceOnChanges: replaced, deleteBeforeReplace: true }),
        ignoreChanges: [...ignoreChanges, ...(filledInByIstiod[object.kind] ?? [])],
      },
    );
  }
}

/** istiod writes these itself after it has started (see `yieldToIstiod`): a difference there is no change. */
const filledInByIstiod: Readonly<Record<string, readonly string[]>> = {
  ValidatingWebhookConfiguration: ['webhooks[*].clientConfig.caBundle', 'webhooks[*].failurePolicy'],
  MutatingWebhookConfiguration: ['webhooks[*].clientConfig.caBundle'],
};

/** The provider's type of an object: `kubernetes:apps/v1:Deployment`, and the core group written out. */
export function typeToken({ apiVersion, kind }: KubeObject): string {
  return `kubernetes:${apiVersion.includes('/') ? apiVersion : `core/${apiVersion}`}:${kind}`;
}

/** `shop/catalog`, or the name alone outside namespaces. */
export function resourceName(object: KubeObject): string {
  return describe(object).slice(object.kind.length + 1);
}

/** What a Secret holds is a secret in Pulumi's state and output too, also while it is not made yet. */
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
