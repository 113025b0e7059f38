import { nearest } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';
import { podsIn } from '../rules/containers.ts';
import { field, mapping, text, title } from '../../model/rendered.ts';
import type { RenderedMesh, RenderedObject } from '../../model/rendered.ts';
import { acceptedBy } from '../rules/rule.ts';
import { knownAnnotations, knownLabels, unlistedAnnotations } from './known-names.ts';
import type { KnownAnnotation, Value } from './known-names.ts';

const accepted = acceptedBy('istio-names');
const orElse = `; or, if the clusters' version of Istio accepts it, give the reason in the annotation ${accepted}`;

/** What each kind of value looks like, and what it is called. */
const values: Readonly<Record<Value, readonly [RegExp, string]>> = {
  number: [/^\d{1,10}$/, 'a whole number, 0 or more'],
  port: [/^(?!0+$)(?:[0-5]?\d{1,4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])$/, 'a port, 1 to 65535'],
  'yes or no': [/^(?:1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/, 'true or false'],
  quantity: [
    /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$/,
    'a quantity such as 100m or 128Mi',
  ],
};

/**
 * Annotations and labels of Istio's that nobody reads: of a name that Istio does not know, or on an object where it does not
 * look; those that it is about to drop; and values for which the injection refuses the pods.
 */
export function istioNames({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap(({ objects }) => objects.flatMap(namesOf));
}

function namesOf({ where, object }: RenderedObject): readonly Problem[] {
  if ((text(object, 'metadata', 'annotations', accepted) ?? '').trim() !== '') return [];
  const templates = podsIn(object).filter(({ pod }) => pod !== object);
  return [
    { at: title(object), kind: object.kind, metadata: object.metadata },
    ...templates.map(({ pod }) => ({
      at: `${title(object)}: its pods`,
      kind: 'Pod',
      metadata: field(pod, 'metadata'),
    })),
  ].flatMap(({ at, kind, metadata }) =>
    [
      ...Object.entries(mapping(metadata, 'annotations')).flatMap(([name, value]) =>
        annotationProblem(at, kind, name, value),
      ),
      ...Object.keys(mapping(metadata, 'labels'))
        .filter((name) => isIstios(name) && !knownLabels.includes(name))
        .map((name) => unknown(at, 'label', name, knownLabels)),
    ].map((problem): Problem => ({ where, ...problem, fix: `${problem.fix}${orElse}` })),
  );
}

interface Found {
  readonly what: string;
  readonly received: string;
  readonly allowed?: string;
  readonly fix: string;
}

function annotationProblem(at: string, kind: string, name: string, received: string): readonly Found[] {
  if (!isIstios(name) || unlistedAnnotations.includes(name)) return [];
  const known = (knownAnnotations as Readonly<Record<string, KnownAnnotation | undefined>>)[name];
  if (known === undefined) return [unknown(at, 'annotation', name, Object.keys(knownAnnotations))];
  const found: Found[] = [];
  if (known.deprecated === true) {
    const fix = name === 'sidecar.istio.io/inject' ? 'use the label of that name' : 'remove it';
    found.push({ what: `${at}: the annotation ${name} is deprecated`, received, fix });
  }
  if (!known.on.includes('Any') && !known.on.includes(kind)) {
    const what = `${at}: the annotation ${name} has no effect on a ${kind}`;
    found.push({ what, received, allowed: `on ${known.on.join(', ')}`, fix: 'move or remove it' });
  }
  if (found.length > 0) return found;
  const [looks, allowed] = known.value === undefined ? [] : values[known.value];
  if (looks === undefined || looks.test(received)) return [];
  const what = `${at}: the annotation ${name} has an invalid value, so Istio refuses the pods`;
  return [{ what, received, ...(allowed === undefined ? {} : { allowed }), fix: 'correct it' }];
}

/** Whether a name is of Istio's own; `kubernetes.io/ingress.class` is one that Istio reads, too. */
function isIstios(name: string): boolean {
  const [domain = '', rest] = name.split('/');
  return (
    name === 'kubernetes.io/ingress.class' ||
    (rest !== undefined && (domain === 'istio.io' || domain.endsWith('.istio.io')))
  );
}

function unknown(at: string, what: string, received: string, names: readonly string[]): Found {
  const near = nearest(received, names);
  const fix = near === undefined ? 'remove it' : `did you mean ${near}?`;
  return { what: `${at}: Istio does not know this ${what}`, received, fix };
}
