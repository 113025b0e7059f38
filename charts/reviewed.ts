import type { Problem } from '../core/problem.ts';
import type { Mesh } from './constructs/mesh.ts';
import { markedNames } from './holes.ts';
import type { KubernetesObject } from './model/mesh-model.ts';
import { title } from './model/rendered.ts';

/** The objects of a cluster. */
interface OfCluster {
  readonly cluster: string;
  readonly objects: readonly KubernetesObject[];
}

const reviewed = new WeakMap<object, () => Mesh<string>>();

/** Remembers of a mesh whose holes are filled how to make the one that dist/ is rendered from, with its holes open. */
export function rememberReviewed(mesh: object, open: () => Mesh<string>): void {
  reviewed.set(mesh, open);
}

/** The mesh that dist/ is rendered from; undefined for one without holes, or that is it. */
export function reviewedMesh(mesh: object): Mesh<string> | undefined {
  return reviewed.get(mesh)?.();
}

/**
 * Objects that are there with the holes filled alone, or with the holes open alone: nobody reviews in dist/ what a value of a stack's
 * file makes or takes away. What values change within an object is not compared.
 * @param dist - with the holes open
 */
export function unreviewedProblems(
  environment: string,
  dist: readonly OfCluster[],
  filled: readonly OfCluster[],
): readonly Problem[] {
  const names = new Set([...dist, ...filled].map(({ cluster }) => cluster));
  return [...names].flatMap((name): readonly Problem[] => {
    const where = `environment ${environment}: cluster ${name}`;
    const fix =
      'decide which objects there are by values that dist/ is rendered with: a hole is for a host or a URL that stands in them';
    const here = (all: readonly OfCluster[]) =>
      all.filter(({ cluster }) => cluster === name).flatMap(({ objects }) => objects);
    const { gone, made } = difference(here(dist), here(filled));
    return [
      ...(gone.length === 0
        ? []
        : [
            {
              where,
              what: 'objects of dist/ are not applied once the holes are filled',
              received: shown(gone),
              fix,
            },
          ]),
      ...(made.length === 0
        ? []
        : [
            {
              where,
              what: 'objects that are not in dist/ are applied once the holes are filled',
              received: shown(made),
              fix,
            },
          ]),
    ];
  });
}

function difference(open: readonly KubernetesObject[], applied: readonly KubernetesObject[]) {
  // A name with a marker becomes another one: each stands for one more of its kind.
  const named = open.filter((object) => markedNames(title(object)).length === 0);
  const marked = open.filter((object) => !named.includes(object));
  const [before, after] = [named, applied].map((objects) => new Set(objects.map(keyOf)));
  const gone = named.filter((object) => after?.has(keyOf(object)) === false);
  const made = applied.filter((object) => before?.has(keyOf(object)) === false);
  for (const one of marked) {
    const index = made.findIndex(
      ({ apiVersion, kind }) => apiVersion === one.apiVersion && kind === one.kind,
    );
    if (index < 0) gone.push(one);
    else made.splice(index, 1);
  }
  return { gone, made };
}

function keyOf(object: KubernetesObject): string {
  return `${object.apiVersion} ${title(object)}`;
}

/** The first of them. */
function shown(objects: readonly KubernetesObject[]): string {
  const more = objects.length - 2;
  return `${objects.slice(0, 2).map(title).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
