import * as pulumi from '@pulumi/pulumi';
import { describe } from './kube-object.ts';
import type { KubeObject } from './kube-object.ts';

/** What the provider answers of an object beside what it was given. */
interface Answer {
  readonly status: unknown;
  readonly data: Readonly<Record<string, string>>;
}

/**
 * A Kubernetes object of any kind as a Pulumi resource, with exactly the fields of the plan. The typed classes of
 * the SDK would do the same; custom resources have none, and one class keeps both drivers at the same objects.
 * Named by cluster, namespace and name, so that it stays the same resource when it moves to another stage.
 */
export class KubernetesResource extends pulumi.CustomResource {
  declare readonly status: pulumi.Output<Answer['status']>;
  declare readonly data: pulumi.Output<Answer['data']>;

  constructor(cluster: string, object: KubeObject, options: pulumi.CustomResourceOptions) {
    const answered = { status: undefined, data: undefined };
    super(
      typeToken(object),
      `${cluster}/${resourceName(object)}`,
      { ...answered, ...secretly(object) },
      {
        ...options,
        ...(object.kind === 'Secret' && { additionalSecretOutputs: ['data'] }),
        ...(isWebhook(object) && { ignoreChanges: filledInByIstiod }),
      },
    );
  }
}

/** istiod writes these itself after it has started (see `yieldToIstiod`): a difference there is no change. */
const filledInByIstiod = ['webhooks[*].clientConfig.caBundle', 'webhooks[*].failurePolicy'];

/** The provider's type of an object: `kubernetes:apps/v1:Deployment`, and the core group written out. */
export function typeToken({ apiVersion, kind }: KubeObject): string {
  return `kubernetes:${apiVersion.includes('/') ? apiVersion : `core/${apiVersion}`}:${kind}`;
}

/** `shop/catalog`, or the name alone outside namespaces. */
export function resourceName(object: KubeObject): string {
  return describe(object).slice(object.kind.length + 1);
}

/** What a Secret holds is a secret in Pulumi's state and output too. */
function secretly(object: KubeObject): pulumi.Inputs {
  return object.kind === 'Secret' && object['data'] !== undefined
    ? { ...object, data: pulumi.secret(object['data']) }
    : { ...object };
}

function isWebhook({ kind }: KubeObject): boolean {
  return kind === 'ValidatingWebhookConfiguration' || kind === 'MutatingWebhookConfiguration';
}
