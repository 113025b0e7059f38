import type { Problem } from '../../core/problem.ts';
import { title } from '../model/rendered.ts';
import type { RenderedMesh, RenderedObject } from '../model/rendered.ts';

/** Number of differing fields that a message names. */
const shown = 3;

/** Every difference between clusters must be declared with `differs` where the object is added. */
export function symmetry({ clusters }: RenderedMesh): readonly Problem[] {
  const copies = new Map<string, Map<string, RenderedObject>>();
  for (const { name, objects } of clusters) {
    for (const rendered of objects) {
      const id = `${rendered.object.apiVersion} ${title(rendered.object)}`;
      const byCluster = copies.get(id) ?? new Map<string, RenderedObject>();
      copies.set(id, byCluster.set(name, rendered));
    }
  }
  const names = clusters.map(({ name }) => name);
  return [...copies.values()].flatMap((byCluster) => [
    ...presenceProblems(byCluster, names),
    ...contentProblems([...byCluster.values()]),
  ]);
}

function presenceProblems(
  byCluster: ReadonlyMap<string, RenderedObject>,
  names: readonly string[],
): readonly Problem[] {
  const [first] = byCluster.values();
  if (first === undefined) return [];
  const declared = new Set([...byCluster.values()].flatMap(({ differs }) => differs?.clusters ?? names));
  const missing = names.filter((name) => declared.has(name) && !byCluster.has(name));
  const found = [...byCluster.keys()];
  const extra = found.filter((name) => !declared.has(name));
  const problem = { where: first.where, received: found };
  return [
    ...(missing.length === 0
      ? []
      : [
          {
            ...problem,
            what: `${title(first.object)} is missing in ${missing.join(' and ')}`,
            allowed: names.filter((name) => declared.has(name)).join(', '),
            fix: 'add it in every cluster, or declare with `differs` which clusters have it, and why',
          },
        ]),
    ...(extra.length === 0
      ? []
      : [
          {
            ...problem,
            what: `${title(first.object)} is in ${extra.join(' and ')}, which its \`differs\` does not list`,
            allowed: names.filter((name) => declared.has(name)).join(', '),
            fix: 'add it only there, or name the cluster in `differs`',
          },
        ]),
  ];
}

function contentProblems(copies: readonly RenderedObject[]): readonly Problem[] {
  const [first, ...others] = copies;
  if (first === undefined) return [];
  return others.flatMap((other): readonly Problem[] => {
    const allowed = [first, other].map(({ differs }) => differs?.paths ?? []);
    const paths = differences(first.object, other.object).filter(
      (path) => !allowed.every((patterns) => patterns.some((pattern) => matches(pattern, path))),
    );
    if (paths.length === 0) return [];
    const named = paths.slice(0, shown).map((path) => path.join(' > '));
    const more = paths.length > shown ? `, and ${paths.length - shown} more` : '';
    return [
      {
        where: first.where,
        what: `${title(first.object)} differs between ${first.cluster} and ${other.cluster} in ${named.join(', ')}${more}`,
        fix: 'render the same in every cluster, or declare with `differs` what differs, and why',
      },
    ];
  });
}

/** The paths of the deepest fields in which two values differ. */
function differences(a: unknown, b: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (a === b) return [];
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return [path];
  if (Array.isArray(a) !== Array.isArray(b)) return [path];
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) return [path];
    return a.flatMap((entry: unknown, index) =>
      differences(entry, b[index], [...path, nameOf(entry) ?? String(index)]),
    );
  }
  const [left, right] = [a, b] as readonly Readonly<Record<string, unknown>>[];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) =>
    differences(left?.[key], right?.[key], [...path, key]),
  );
}

function nameOf(entry: unknown): string | undefined {
  if (typeof entry !== 'object' || entry === null || !('name' in entry)) return undefined;
  return typeof entry.name === 'string' ? entry.name : undefined;
}

function matches(pattern: readonly string[], path: readonly string[]): boolean {
  return pattern.length <= path.length && pattern.every((key, index) => key === '*' || key === path[index]);
}
