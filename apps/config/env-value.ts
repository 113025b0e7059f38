/**
 * A variable's value: plain text, text that only looks like a secret, a key of a Secret or ConfigMap in the
 * workload's namespace, or what Kubernetes knows of the pod (https://kubernetes.io/docs/concepts/workloads/pods/downward-api/). The owner of
 * the Secret or ConfigMap creates it in every cluster that the workload runs in; the pods start once it exists.
 */
export type EnvValue =
  | string
  | { readonly secret: string; readonly key: string }
  | { readonly configMap: string; readonly key: string }
  | {
      /** Of its pod: `spec.nodeName`, `status.podIP`, `metadata.labels['NAME']` and the like. */
      readonly field: string;
    }
  | {
      /** Of its container: `limits.cpu`, `limits.memory`, `requests.cpu` or `requests.memory`, in units of `divisor` (1 core or byte). */
      readonly resource: string;
      readonly divisor?: string;
    }
  | {
      readonly value: string;
      /** Why this is not a secret, although its name or value looks like one: one line. */
      readonly notSecret: string;
    };
