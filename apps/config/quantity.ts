const form = /^(\d+(?:\.\d*)?|\.\d+)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?\d+)?$/;

const factors: Readonly<Record<string, number>> = {
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The least amount of each resource that is accepted, and in words what is; less is nearly always a slip such as `128m` for `128Mi`. */
export const leastAmounts = {
  cpu: { least: 0.001, allowed: 'a Kubernetes quantity as text, at least "1m", such as "250m"' },
  memory: { least: 16 * 2 ** 20, allowed: 'a Kubernetes quantity as text, at least "16Mi", such as "128Mi"' },
  storage: { least: 2 ** 20, allowed: 'a Kubernetes quantity as text, at least "1Mi", such as "10Gi"' },
} as const;

/** Kubernetes stores quantities in 64 bits. */
const largest = 2 ** 63;

/**
 * The number a Kubernetes quantity stands for (cores, or bytes): `250m` is 0.25, `1Ki` is 1024.
 * Undefined for anything that is not a positive quantity. Suffixes smaller than milli, which make no sense for
 * compute resources, are not accepted.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
export function parseQuantity(value: unknown): number | undefined {
  if (typeof value !== 'string' || value.length > 30) return undefined;
  const match = form.exec(value);
  if (match === null) return undefined;
  const [, digits = '', suffix = ''] = match;
  const factor = suffix === '' ? 1 : (factors[suffix] ?? Number(`1${suffix}`));
  const amount = Number(digits) * factor;
  return amount > 0 && amount < largest ? amount : undefined;
}
