import type { Problem } from '../../../core/problem.ts';

/** Claims that are no text by their specifications (RFC 7519, 4.1; OpenID Connect Core, 2 and 5.1; RFC 7800). */
const noTexts: Readonly<Record<string, string>> = {
  exp: 'a number',
  nbf: 'a number',
  iat: 'a number',
  auth_time: 'a number',
  updated_at: 'a number',
  email_verified: 'true or false',
  phone_number_verified: 'true or false',
  address: 'an object',
  cnf: 'an object',
};

/** Names of claims that people know with a dot in them. */
const dotted = ['kubernetes.io'];

const pathRule =
  "the claim's name, with dots between the levels of nested objects, such as realm.roles; or each name in brackets, if one contains a dot " +
  'itself, such as [kubernetes.io][namespace]';
const plainRule =
  "the claim's name without spaces and brackets, with dots between the levels of nested objects";

/**
 * The names that a claim of a rule leads through: `realm.roles`, or in Istio's brackets, which a name with dots needs,
 * such as a URL (https://istio.io/latest/docs/reference/config/security/conditions/). Nothing for what is no claim.
 */
export function claimPath(claim: string): readonly string[] | undefined {
  if (/^(?:\[[^\s[\]]+\])+$/.test(claim)) return claim.slice(1, -1).split('][');
  return isDotted(claim) ? claim.split('.') : undefined;
}

/** What is wrong with a claim that a rule asks for. */
export function ruleClaimProblems(where: string, claim: unknown): readonly Problem[] {
  const problem = { where, what: 'is not the name of a claim', received: claim, allowed: pathRule };
  if (typeof claim !== 'string') return [problem];
  const path = claimPath(claim);
  const name = dotted.find((one) => claim === one || claim.startsWith(`${one}.`));
  if (name !== undefined) {
    const inside = claim.slice(name.length + 1);
    const fix = `write [${name}]${
      inside === ''
        ? ''
        : inside
            .split('.')
            .map((part) => `[${part}]`)
            .join('')
    }`;
    return [
      {
        ...problem,
        what: `is a name that contains a dot, which would be read as a path into an object`,
        fix,
      },
    ];
  }
  if (path === undefined) return [isOneName(claim) ? { ...problem, fix: `write [${claim}]` } : problem];
  const kind =
    path.length === 1 && Object.hasOwn(noTexts, path[0] ?? '') ? noTexts[path[0] ?? ''] : undefined;
  if (kind === undefined) return [];
  return [
    {
      where,
      what: `is ${kind} by its specification, and Istio compares only strings and lists of strings: it would never match`,
      received: claim,
      fix: 'have the issuer put it into a string',
    },
  ];
}

/** What is wrong with a claim that goes on as metadata, for which Envoy takes every dot as a way into an object. */
export function metadataClaimProblems(where: string, claim: string): readonly Problem[] {
  if (isDotted(claim) && !dotted.some((one) => claim === one || claim.startsWith(`${one}.`))) return [];
  const problem = { where, received: claim, allowed: plainRule };
  if ((claimPath(claim) === undefined && !isOneName(claim)) || !claim.includes('.'))
    return [{ ...problem, what: 'is not the name of a claim' }];
  const what = 'has a dot in its name, which Envoy would read as a path into an object';
  return [{ ...problem, what, fix: 'have the issuer put it into a claim without dots' }];
}

/** What can stand in Istio's brackets. */
function isOneName(claim: string): boolean {
  return /^[^\s[\]]+$/.test(claim);
}

/** A URL is a name of its own (RFC 7519, 4.2), not a way into objects. */
function isDotted(name: string): boolean {
  return !(name.includes('.') && /[:/]/.test(name)) && /^[^\s[\].]+(\.[^\s[\].]+)*$/.test(name);
}
