import { text } from '../../model/rendered.ts';
import type { KubernetesObject } from '../../model/mesh-model.ts';

/** What is against a rule in one object. */
export interface Violation {
  /** Which field says what, and what follows from it. */
  readonly what: string;
  readonly received?: unknown;
  readonly allowed?: string;
  readonly fix: string;
}

/** A rule about single objects. */
export interface Rule {
  /** Also the end of the annotation that gives the reason for an exception: {@link acceptedBy}. */
  readonly name: string;
  /** What is against it in an object, whether that has an exception or not. */
  readonly violations: (object: KubernetesObject) => readonly Violation[];
}

/** A rule of the policy pack, which shows what it is about. */
export interface PackRule extends Rule {
  readonly description: string;
}

/**
 * The annotation by which an object is excepted from a rule; its value is the reason, for reviewers. It stands in the
 * declaration and in dist/, so that they see it twice.
 */
export function acceptedBy(rule: string): string {
  return `meshwright/accept-${rule}`;
}

/** What is against a rule in an object that gives no reason for an exception. */
export function violationsOf({ name, violations }: Rule, object: KubernetesObject): readonly Violation[] {
  const reason = text(object, 'metadata', 'annotations', acceptedBy(name)) ?? '';
  return reason.trim() === '' ? violations(object) : [];
}
