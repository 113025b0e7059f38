import { JsonPatch } from 'cdk8s';
import type { Operation, Patch } from '../../../../apps/config/pod/pod.ts';
import { nearest } from '../../../../core/names.ts';
import type { Problem } from '../../../../core/problem.ts';
import { acceptedBy } from '../../../gates/rules/rule.ts';
import { patchRules, undoneIn, type UndoneRule } from '../../../gates/rules/undone.ts';
import type { KubernetesObject } from '../../../model/mesh-model.ts';
import { title, type Undone } from '../../../model/rendered.ts';
import { templatePath } from './pod-spec.ts';
import { templateMetadataProblem } from './template-metadata.ts';
import { found, keysOfPointer, memberOf } from './pointer.ts';

/** A patch, and where it is declared: `demo/shop/cart: pod.patches[0]`. */
export interface PlacedPatch {
  readonly where: string;
  readonly patch: Patch;
}

/** A patched object, with what the patches undo of what it was made with. */
export interface Patched {
  readonly object: KubernetesObject;
  readonly undone: readonly Undone[];
  readonly problems: readonly Problem[];
}

/** Annotations in which an object may differ by patches of single clusters: reasons. */
export const reasonPaths: readonly (readonly string[])[] = patchRules.map((name) => [
  'metadata',
  'annotations',
  acceptedBy(name),
]);

/**
 * Applies patches to an object, one after the other. What the last one leaves undone is told with the patch that undid it, and the reasons stand in the
 * object's annotations, as those of every exception do (`meshwright/accept-RULE`).
 */
export function patched(before: KubernetesObject, patches: readonly PlacedPatch[]): Patched {
  const problems: Problem[] = [];
  let object = before;
  /** By what is undone: the patch that undid it, as long as it stays undone. */
  let culprits = new Map<string, PlacedPatch>();
  for (const placed of patches) {
    const wrong = patchProblem(object, placed);
    if (wrong !== undefined) {
      problems.push(wrong);
      continue;
    }
    const after = apply(object, placed.patch);
    const inTemplate = templateMetadataProblem(after);
    if (inTemplate !== undefined) {
      problems.push({ where: `${placed.where}.path`, ...inTemplate });
      continue;
    }
    object = after;
    const next = new Map<string, PlacedPatch>();
    for (const one of undoneIn(before, object)) {
      const key = keyOf(one);
      next.set(key, culprits.get(key) ?? placed);
    }
    culprits = next;
  }
  if (problems.length > 0) return { object: before, undone: [], problems };
  const undone = undoneIn(before, object).map((one): Undone => {
    const { where, patch } = culprits.get(keyOf(one)) ?? { where: '', patch: undefined };
    return { ...one, where, ...(patch?.reason === undefined ? {} : { reason: patch.reason }) };
  });
  const idle = patches.filter(
    ({ where, patch }) => patch.reason !== undefined && !undone.some((one) => one.where === where),
  );
  return {
    object: withReasons(object, undone),
    undone,
    problems: idle.map(({ where, patch: { reason } }) => ({
      where: `${where}.reason`,
      what: `the patch undoes no guarantee of ${title(before)}`,
      received: reason,
      fix: 'remove the reason, so that it excuses nothing later',
    })),
  };
}

function keyOf(one: UndoneRule): string {
  return JSON.stringify([one.rule, one.what, one.received]);
}

function withReasons(object: KubernetesObject, undone: readonly Undone[]): KubernetesObject {
  const reasons = new Map<string, Set<string>>();
  for (const { rule, reason } of undone) {
    if (reason !== undefined) reasons.set(rule, (reasons.get(rule) ?? new Set()).add(reason));
  }
  if (reasons.size === 0) return object;
  const noted = [...reasons].map(([rule, all]) => [acceptedBy(rule), [...all].join('; ')] as const);
  const annotations = { ...object.metadata.annotations, ...Object.fromEntries(noted) };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

function apply(object: KubernetesObject, patch: Patch): KubernetesObject {
  return JsonPatch.apply(structuredClone(object), operation(patch)) as KubernetesObject;
}

function operation(patch: Operation): JsonPatch {
  switch (patch.op) {
    case 'add':
      return JsonPatch.add(patch.path, patch.value);
    case 'replace':
      return JsonPatch.replace(patch.path, patch.value);
    case 'test':
      return JsonPatch.test(patch.path, patch.value);
    case 'remove':
      return JsonPatch.remove(patch.path);
    case 'move':
      return JsonPatch.move(patch.from, patch.path);
    case 'copy':
      return JsonPatch.copy(patch.from, patch.path);
  }
}

/** What the mesh says of an object, and reads again: by the keys that lead to it, what says it in the place of a patch. */
type Kept = readonly (readonly [path: readonly string[], fix: string])[];
const kept: Kept = [
  [['apiVersion'], 'remove the patch'],
  [['kind'], 'remove the patch'],
  [['metadata', 'name'], 'rename the service'],
  [['metadata', 'namespace'], 'declare the service in another namespace'],
  [['metadata', 'labels'], 'use labels, for the pods'],
  [
    ['metadata', 'annotations'],
    'give the patch that undoes a guarantee a reason, or use annotations, for the pods',
  ],
  [['metadata', 'ownerReferences'], 'remove the patch: the Deployment would go with its owner'],
  [['metadata', 'finalizers'], 'remove the patch: the Deployment would not go'],
  [['spec', 'replicas'], 'use replicas'],
  [['spec', 'paused'], 'remove the patch: no change would get to the pods'],
  [['status'], 'remove the patch'],
];

/** What `up` awaits of a Job, by which it also knows that it has run. */
const keptOfJobs: Kept = [
  [['spec', 'activeDeadlineSeconds'], 'use activeDeadlineSeconds'],
  [['spec', 'ttlSecondsAfterFinished'], 'remove the patch: what is removed would run again'],
  [['spec', 'suspend'], 'remove the patch, or declare a CronJob with suspend'],
];
/** What `status` goes by, and what synth checks. */
const keptOfCronJobs: Kept = [
  [['spec', 'schedule'], 'use schedule'],
  [['spec', 'timeZone'], 'use timeZone'],
  [['spec', 'suspend'], 'use suspend'],
];
const keptOf: Readonly<Record<string, Kept | undefined>> = { Job: keptOfJobs, CronJob: keptOfCronJobs };

/** What a patch may not say by itself; what is above it, it may replace: of pods that are made anew when a ConfigMap changes, it is written after all patches. */
const alone: Kept = [
  [
    ['spec', 'template', 'metadata', 'annotations', 'checksum/config'],
    'remove the patch, or use an annotation of your own name',
  ],
];
/** The same of pods that end by themselves, which start again or not. */
const aloneOfRuns: Kept = [[['restartPolicy'], 'use restartPolicy']];

/** RFC 6902 has an operation fail where there is nothing to do it to; the library passes over most of these. */
function patchProblem(object: KubernetesObject, { where, patch }: PlacedPatch): Problem | undefined {
  const ends = patch.op === 'move' || patch.op === 'copy' ? (['from', 'path'] as const) : (['path'] as const);
  for (const end of ends) {
    const pointer = end === 'from' && 'from' in patch ? patch.from : patch.path;
    const keys = keysOfPointer(pointer);
    const isTarget = end === 'path' && ['add', 'move', 'copy'].includes(patch.op);
    const wrong = missing(object, keys, isTarget);
    if (wrong !== undefined) return { where: `${where}.${end}`, ...wrong, received: pointer };
    if (patch.op === 'test' || (patch.op === 'copy' && end === 'from')) continue;
    const ofKind = [...kept, ...(keptOf[object.kind] ?? [])];
    const touched =
      ofKind.find(([path]) => path.every((key, index) => keys.length <= index || keys[index] === key)) ??
      aloneIn(object.kind).find(([path]) => path.every((key, index) => keys[index] === key));
    if (touched !== undefined) {
      const what = `${touched[0].join('.')} of ${title(object)} is not for a patch, because the mesh knows, rolls out or removes it by that`;
      return { where: `${where}.${end}`, what, received: pointer, fix: touched[1] };
    }
    const container = containerProblem(object, patch, keys);
    if (container !== undefined) return { where: `${where}.${end}`, ...container, received: pointer };
  }
  if (patch.op === 'move' && `${patch.path}/`.startsWith(`${patch.from}/`)) {
    return {
      where: `${where}.path`,
      what: 'is within what is moved',
      received: patch.path,
      fix: 'correct it',
    };
  }
  if (patch.op !== 'test') return undefined;
  const there = found(object, keysOfPointer(patch.path))?.value;
  try {
    apply(object, patch);
    return undefined;
  } catch {
    return {
      where,
      what: `${title(object)} has another value there`,
      received: there,
      allowed: JSON.stringify(patch.value),
    };
  }
}

function aloneIn(kind: string): Kept {
  if (keptOf[kind] === undefined) return alone;
  const pod = [...templatePath(kind), 'spec'];
  return [...alone, ...aloneOfRuns.map(([path, fix]) => [[...pod, ...path], fix] as const)];
}

/** Why there is nothing at some keys of an object, or for a target, nothing that it could be put into. */
function missing(
  object: KubernetesObject,
  keys: readonly string[],
  isTarget: boolean,
): Pick<Problem, 'what' | 'allowed' | 'fix'> | undefined {
  let at: unknown = object;
  for (const [index, key] of keys.entries()) {
    const isLast = index === keys.length - 1;
    if (isLast && isTarget && isPlace(at, key)) return undefined;
    const member = memberOf(at, key);
    if (member === undefined) {
      const above = `/${keys.slice(0, index).join('/')}`;
      const allowed = keysIn(at);
      const near = nearest(key, allowed);
      return {
        what: `${title(object)} has no ${key} in ${above}`,
        ...(allowed.length === 0 ? {} : { allowed: allowed.join(', ') }),
        fix: near === undefined ? 'correct it, or add what is above it first' : `did you mean ${near}?`,
      };
    }
    at = member.value;
  }
  return undefined;
}

/** Whether a new member or entry can be put there. */
function isPlace(value: unknown, key: string): boolean {
  if (Array.isArray(value))
    return key === '-' || (/^(?:0|[1-9]\d*)$/.test(key) && Number(key) <= value.length);
  return (
    typeof value === 'object' && value !== null && !['__proto__', 'constructor', 'prototype'].includes(key)
  );
}

function keysIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return ['-', ...value.map((_, index) => String(index))];
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}

/**
 * Which containers there are, and of which images, the mesh says: what brings images to clusters goes by that. A patch of their content, or of all of the pods'
 * template, may leave it as it is.
 */
function containerProblem(
  object: KubernetesObject,
  patch: Patch,
  keys: readonly string[],
): Pick<Problem, 'what' | 'fix'> | undefined {
  const pods = [...templatePath(object.kind), 'spec'];
  const isAbove = keys.every((key, index) => index >= pods.length || key === pods[index]);
  if (!isAbove) return undefined;
  let next: KubernetesObject;
  try {
    next = apply(object, patch);
  } catch {
    return { what: `cannot be applied to ${title(object)}`, fix: 'correct it' };
  }
  const lists = (one: KubernetesObject) =>
    JSON.stringify(
      ['initContainers', 'containers', 'ephemeralContainers'].map((list) => {
        const all = found(one, [...pods, list])?.value;
        return (Array.isArray(all) ? all : []).map((container: unknown) => [
          memberOf(container, 'name')?.value,
          memberOf(container, 'image')?.value,
        ]);
      }),
    );
  if (lists(object) === lists(next)) return undefined;
  return {
    what: `changes which containers the pods of ${title(object)} have, or their images, which the mesh reads from the declaration`,
    fix: 'use containers, initContainers or image',
  };
}
