import { isOverloadReason } from './constructs/gateways/overload.ts';
import { acceptedBy } from './gates/rules/rule.ts';
import { title } from './model/rendered.ts';
import type { RenderedStage } from './synth.ts';

/** An exception that an object of the declaration gives the reason for. */
export interface Exception {
  /** `Deployment shop/cart`. */
  readonly object: string;
  readonly rule: string;
  readonly reason: string;
  readonly clusters: readonly string[];
}

const prefix = 'meshwright/accept-';

/** Every exception that objects give a reason for, in the order of objects and rules. */
export function exceptionsIn(rendered: readonly RenderedStage[]): readonly Exception[] {
  const found = new Map<string, Exception>();
  for (const { cluster, objects } of rendered) {
    for (const object of objects) {
      for (const [name, reason] of Object.entries(object.metadata.annotations ?? {})) {
        if (!name.startsWith(prefix) || (name === acceptedBy('behind-proxy') && isOverloadReason(reason)))
          continue;
        const one = { object: title(object), rule: name.slice(prefix.length), reason };
        const key = JSON.stringify(one);
        found.set(key, { ...one, clusters: [...(found.get(key)?.clusters ?? []), cluster] });
      }
    }
  }
  return [...found.values()];
}

/** The exceptions for those who run synth: how many there are, and a line for each. Nothing where there is none. */
export function exceptionLines(environment: string, exceptions: readonly Exception[]): readonly string[] {
  const [first, ...others] = exceptions;
  if (first === undefined) return [];
  const count = others.length === 0 ? '1 guarantee is undone' : `${exceptions.length} guarantees are undone`;
  return [
    `${environment}: ${count}, with a reason:`,
    ...exceptions.map(
      ({ object, rule, reason, clusters }) => `  ${object} in ${clusters.join(', ')}: ${rule}: ${reason}`,
    ),
  ];
}
