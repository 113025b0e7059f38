import { field, list, text } from '../../model/rendered.ts';
import type { KubernetesObject } from '../../model/mesh-model.ts';
import { isIstio } from './mesh-rules.ts';
import type { Violation } from './rule.ts';

/** Rules of an ALLOW policy that allow every call. A policy without rules allows nothing. */
export function allowsAll(object: KubernetesObject): readonly Violation[] {
  if (!isIstio(object, 'security.istio.io', 'AuthorizationPolicy')) return [];
  if ((text(object, 'spec', 'action') ?? 'ALLOW') !== 'ALLOW') return [];
  return list(object, 'spec', 'rules').flatMap((rule, index) => {
    if (restricts(rule)) return [];
    const fix = 'restrict who may call (from), what (to), or when';
    return [{ what: `spec.rules[${index}] allows every call`, fix }];
  });
}

/** What of a caller a condition may ask for (https://istio.io/latest/docs/reference/config/security/conditions/). */
const ofCaller = /^(?:source\.(?:ip|namespace|principal|serviceAccount)|remote\.ip|request\.auth\..*)$/;

/** Whether a rule says who may call, and not only what. */
export function namesCaller(rule: unknown): boolean {
  const from = list(rule, 'from');
  if (from.length > 0 && from.every((entry) => names(field(entry, 'source')))) return true;
  return list(rule, 'when').some(
    (condition) => ofCaller.test(text(condition, 'key') ?? '') && isCondition(condition),
  );
}

/** A rule matches when its from, to and when all match; at least one of them has to exclude something. */
export function restricts(rule: unknown): boolean {
  const some = (key: 'from' | 'to', part: 'source' | 'operation') => {
    const entries = list(rule, key);
    return entries.length > 0 && entries.every((entry) => names(field(entry, part)));
  };
  return some('from', 'source') || some('to', 'operation') || list(rule, 'when').some(isCondition);
}

/** Whether a source or an operation names what it is about: what it is not about leaves everything else. */
function names(condition: unknown): boolean {
  return Object.entries(condition ?? {}).some(
    ([key, values]) =>
      !key.startsWith('not') &&
      Array.isArray(values) &&
      values.length > 0 &&
      // Any of them: a valid token is asked for.
      (key === 'requestPrincipals' || !values.some(isEverything)),
  );
}

/** A condition that asks for values, or for the absence of any. */
function isCondition(condition: unknown): boolean {
  const values = list(condition, 'values');
  const isOfToken = (text(condition, 'key') ?? '').startsWith('request.auth.');
  if (values.length > 0 && (isOfToken || !values.some(isEverything))) return true;
  return list(condition, 'notValues').includes('*');
}

/** What matches every principal, path, host or address. */
function isEverything(value: unknown): boolean {
  return typeof value === 'string' && /^(?:\/?\*|\/?\{\*\*\}|[\da-f.:]*\/0+)$/i.test(value);
}
