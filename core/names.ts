const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Whether the value is a DNS label, as Kubernetes requires of names (RFC 1123): 1 to 63 characters of a-z, 0-9 and inner hyphens. */
export function isDnsLabel(value: unknown): boolean {
  return typeof value === 'string' && dnsLabel.test(value);
}

/** What {@link isDnsLabel} accepts, in words for an error's `allowed`. */
export const dnsLabelRule = 'a DNS label: 1 to 63 characters of a-z, 0-9 and hyphen, no hyphen at either end';

/** Whether the value is a DNS subdomain, as Kubernetes requires of most names (RFC 1123). */
export function isSubdomain(value: string): boolean {
  return (
    value.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(value)
  );
}

/** What {@link isSubdomain} accepts, in words for an error's `allowed`. */
export const subdomainRule =
  'a DNS subdomain: up to 253 characters of a-z, 0-9, hyphen and dot, starting and ending with a letter or digit';

/**
 * The candidate nearest to a mistyped name, for an error's `fix`; undefined when none is near, or when the name is not
 * a string (plain JavaScript may pass anything).
 * Near means an edit distance (insert, delete, replace, swap) of at most a third of the longer name, and at least 1.
 */
export function nearest(name: unknown, candidates: Iterable<string>): string | undefined {
  if (typeof name !== 'string') return undefined;
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    const allowed = Math.max(1, Math.floor(Math.max(name.length, candidate.length) / 3));
    if (distance <= allowed && distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Optimal string alignment distance: insert, delete, replace, or swap two neighbours; three rows at a time. */
function editDistance(a: string, b: string): number {
  let twoBack: readonly number[] = [];
  let oneBack = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(oneBack, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          replaced,
          at(oneBack, j) + 1,
          at(row, j - 1) + 1,
          swapped ? at(twoBack, j - 2) + 1 : Infinity,
        ),
      );
    }
    [twoBack, oneBack] = [oneBack, row];
  }
  return at(oneBack, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}

/**
 * Containers that others put into the pods of an app: Istio's injection, and the gateway that stands beside a service. One
 * of the same name would be merged with them.
 */
export const takenContainers: readonly string[] = [
  'istio-proxy',
  'istio-init',
  'istio-validation',
  'enable-core-dump',
  'http-gateway',
];
