import { parse, stringify } from 'yaml';
import { existsSync } from 'node:fs';
import { ProblemsError, throwIfAny } from '../../core/problem.ts';
import { run } from '../../core/run.ts';
import { allOrProblems } from '../../core/all-or-problems.ts';
import { describe, labelManaged } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';

const renderTimeoutMs = 60_000;

/**
 * Renders IstioOperators, one per control plane of a cluster, to the objects of Istio's official charts with
 * `istioctl manifest generate`, which needs no cluster and renders the same objects each time. They get the labels of this
 * mesh, so that `down` finds them.
 * @throws ProblemsError: exit 2 when istioctl is missing, or when two control planes render the same object, so that one
 * would overwrite the other's; exit 1 with istioctl's message when it rejects an operator.
 */
export async function renderIstioReleases(
  istioctl: string,
  operators: readonly KubeObject[],
  mesh: string,
  signal?: AbortSignal,
): Promise<readonly KubeObject[]> {
  const rendered = await allOrProblems(
    operators.map((operator) => renderIstioRelease(istioctl, operator, mesh, signal)),
  );
  const objects = rendered.flat();
  const names = objects.map((object) => `${object.apiVersion} ${describe(object)}`);
  const twice = objects.filter((_, index) => names.indexOf(names[index] ?? '') !== index);
  throwIfAny(
    twice.map((object) => ({ where: describe(object), what: 'is rendered by two of the control planes' })),
  );
  return objects;
}

async function renderIstioRelease(
  istioctl: string,
  operator: KubeObject,
  mesh: string,
  signal?: AbortSignal,
): Promise<readonly KubeObject[]> {
  if (istioctl.includes('/') && !existsSync(istioctl)) {
    throw new ProblemsError([
      {
        where: 'istioctl',
        what: 'the program does not exist',
        received: istioctl,
        fix: 'name an istioctl of the Istio version in use',
      },
    ]);
  }
  const { stdout } = await run(istioctl, ['manifest', 'generate', '-f', '-'], {
    input: stringify(operator),
    timeoutMs: renderTimeoutMs,
    ...(signal && { signal }),
  });
  return parseManifests(stdout).map((object) => labelManaged(object, mesh));
}

/** Most of a release is the same in every cluster, and takes a third of a second to parse. */
const parsed = new Map<string, KubeObject | null>();

function parseDocument(text: string): KubeObject | null {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const object = parse(text) as KubeObject | null;
  parsed.set(text, object);
  return object;
}

/** Parses a stream of manifests, without empty documents and without the fields that only a server writes. */
export function parseManifests(yaml: string): readonly KubeObject[] {
  return yaml.split(/^---[ \t]*$/m).flatMap((text): KubeObject[] => {
    const object = parseDocument(text);
    if (object === null || Object.keys(object).length === 0) return [];
    const written = Object.entries(object).filter(([key]) => key !== 'status');
    const metadata = Object.entries(object.metadata).filter(([key]) => key !== 'creationTimestamp');
    return [
      {
        ...(Object.fromEntries(written) as KubeObject),
        metadata: Object.fromEntries(metadata) as KubeObject['metadata'],
      },
    ];
  });
}
