import { KubeError } from './kube-http.ts';
import type { KubeClient } from './kube-client.ts';
import { field, list, text } from './kube-object.ts';
import type { KubeObject } from './kube-object.ts';
import { hasProxy } from './proxies.ts';
import { ProblemsError } from '../../core/problem.ts';
import type { Look } from '../../core/wait.ts';

type Labels = Readonly<Record<string, string>>;

/**
 * Checks that Istio's webhooks run: the validating one must reject a Gateway without servers, the injecting one must add
 * a proxy to a pod. Both requests are dry runs, and nothing is stored.
 */
export async function lookAtWebhooks(
  client: KubeClient,
  configuration: KubeObject,
  namespaces: readonly KubeObject[],
  signal?: AbortSignal,
): Promise<Look<true>> {
  const live = (await client.get(configuration, signal)) ?? configuration;
  const question = questionFor(live, namespaces);
  // The webhook selects no namespace of the mesh, so nothing here ever calls it.
  if (question === undefined) return { done: true, value: true };
  try {
    const answer = await client.dryRunCreate(question.object, signal);
    return question.answered(answer)
      ? { done: true, value: true }
      : { done: false, because: question.silent };
  } catch (error) {
    if (!(error instanceof ProblemsError)) throw error;
    const because = error instanceof KubeError ? error.reason : error.message;
    return question.refused(because) ? { done: true, value: true } : { done: false, because };
  }
}

interface Question {
  readonly object: KubeObject;
  readonly answered: (created: KubeObject) => boolean;
  readonly refused: (message: string) => boolean;
  readonly silent: string;
}

function questionFor(configuration: KubeObject, namespaces: readonly KubeObject[]): Question | undefined {
  for (const webhook of list(configuration, 'webhooks')) {
    for (const namespace of namespaces) {
      const { name, labels = {} } = namespace.metadata;
      const all = { ...labels, 'kubernetes.io/metadata.name': name };
      if (!selects(field(webhook, 'namespaceSelector'), all)) continue;
      const wanted = labelsFor(field(webhook, 'objectSelector'));
      return configuration.kind === 'MutatingWebhookConfiguration'
        ? injection(name, wanted)
        : validation(name, wanted, text(webhook, 'name') ?? '');
    }
  }
  return undefined;
}

function validation(namespace: string, labels: Labels, webhook: string): Question {
  return {
    object: {
      apiVersion: 'networking.istio.io/v1',
      kind: 'Gateway',
      metadata: { name: 'meshwright-webhook-check', namespace, labels },
      spec: { servers: [] },
    },
    answered: () => false,
    refused: (message) => message.includes(webhook) && message.includes('denied the request'),
    silent: 'it accepted an invalid Gateway',
  };
}

function injection(namespace: string, labels: Labels): Question {
  return {
    object: podToTry(namespace, { labels }),
    answered: hasProxy,
    refused: () => false,
    silent: 'it did not add a proxy to a pod',
  };
}

/** A pod that a namespace of the mesh admits, to be made in a dry run alone. */
export function podToTry(
  namespace: string,
  { labels = {}, annotations = {} }: Pick<KubeObject['metadata'], 'labels' | 'annotations'>,
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'meshwright-webhook-check', namespace, labels, annotations },
    spec: {
      securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'check',
          image: 'localhost/check:0',
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  };
}

/** Whether a label selector (Kubernetes LabelSelector) matches; a missing one matches everything. */
export function selects(selector: unknown, labels: Labels): boolean {
  const exact = Object.entries((field(selector, 'matchLabels') ?? {}) as Labels);
  return (
    exact.every(([key, value]) => labels[key] === value) &&
    list(selector, 'matchExpressions').every((expression) => {
      const value = labels[text(expression, 'key') ?? ''];
      const values = list(expression, 'values');
      switch (text(expression, 'operator')) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        default:
          return value === undefined;
      }
    })
  );
}

/** A minimal set of labels that a selector matches, for selectors that require labels. */
export function labelsFor(selector: unknown): Labels {
  const labels: Record<string, string> = { ...((field(selector, 'matchLabels') ?? {}) as Labels) };
  for (const expression of list(selector, 'matchExpressions')) {
    const key = text(expression, 'key') ?? '';
    const operator = text(expression, 'operator');
    if (operator === 'In') labels[key] = String(list(expression, 'values')[0]);
    if (operator === 'Exists') labels[key] = 'true';
  }
  return labels;
}
