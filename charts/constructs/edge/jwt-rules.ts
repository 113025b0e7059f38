import { createPublicKey } from 'node:crypto';
import { keysOf, unknownKeys } from '../../../core/keys.ts';
import type { Problem } from '../../../core/problem.ts';
import { callProblems, isMethod } from '../access/authorization.ts';
import { isRoute } from '../scope/service-route.ts';
import { metadataClaimProblems, ruleClaimProblems } from './claim-names.ts';
import { askedName, isSame, type Asked } from './expose.ts';
import type { ClaimRule, Jwt } from './jwt.ts';

/** What plain JavaScript may have passed for a {@link Jwt}. */
type Unchecked = Readonly<Record<string, unknown>>;

const jwtKeys = keysOf<Jwt<string>>({
  issuer: true,
  audiences: true,
  claims: true,
  except: true,
  rules: true,
  jwksUri: true,
  jwks: true,
});
const ruleKeys = keysOf<ClaimRule<string>>({ method: true, claim: true, values: true });

/** Members of a JSON Web Key that are private or a shared secret (RFC 7518, sections 6.2.2, 6.3.2 and 6.4). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;

const metadataRule =
  "'x-' followed by 1 to 61 of a-z, 0-9, '_' and '-', not ending in '-bin', and not a name that proxies or tracing use";

/** Names that mean something to Envoy, Istio, tracing or the services: a claim must not pose as one. */
const taken =
  /^x-(b3-|envoy-|forwarded-|istio-|request-id$|real-ip$|served-by$|inventory-served-by$|.*-bin$)/;

/** What is wrong with an edge's JWT settings. Keys are never shown. */
export function jwtProblems(
  edge: string,
  mesh: object,
  jwt: unknown,
  exposed: readonly Asked[],
): readonly Problem[] {
  if (jwt === undefined) return [];
  const where = `${edge}: jwt`;
  if (Array.isArray(jwt)) {
    const fix = 'declare an HttpEdge for each issuer, with hosts of its own';
    return [{ where, what: 'is a list, and an edge believes one issuer of tokens', fix }];
  }
  if (!isRecord(jwt)) {
    const allowed =
      '{ issuer, audiences, jwksUri } or, with the keys themselves, { issuer, audiences, jwks }';
    return [{ where, what: 'is not an object with JWT settings', received: typeof jwt, allowed }];
  }
  return [
    // Not those of a key set: others may be in it, and mean nothing to who does not know them (RFC 7517, 4 and 5).
    ...unknownKeys(where, jwt, jwtKeys),
    ...issuerProblems(where, jwt),
    ...keyProblems(where, jwt),
    ...claimProblems(where, jwt['claims']),
    ...methodProblems(edge, mesh, jwt, exposed),
  ];
}

function issuerProblems(where: string, { issuer, audiences }: Unchecked): readonly Problem[] {
  const problems: Problem[] = [];
  if (typeof issuer !== 'string' || !/^[^\s*]+$/.test(issuer)) {
    const allowed = 'the value of iss in its tokens, such as https://id.example';
    problems.push({ where: `${where}.issuer`, what: 'is not an issuer', received: issuer, allowed });
  } else if (hasUserinfo(issuer)) {
    problems.push(userinfoProblem(`${where}.issuer`));
  }
  if (!isTexts(audiences) || audiences.some((audience) => audience.includes('*'))) {
    const what = 'without an audience, tokens meant for others would be accepted';
    const allowed = "a list of the values of aud in this edge's tokens";
    problems.push({ where: `${where}.audiences`, what, received: audiences, allowed });
  }
  return problems;
}

function keyProblems(where: string, { jwks, jwksUri }: Unchecked): readonly Problem[] {
  if ((jwks === undefined) === (jwksUri === undefined)) {
    const what =
      jwks === undefined ? 'there are no keys to verify tokens with' : 'there are two sources of keys';
    return [{ where, what, allowed: 'either jwksUri or jwks' }];
  }
  if (jwksUri !== undefined) {
    if (typeof jwksUri === 'string' && hasUserinfo(jwksUri)) return [userinfoProblem(`${where}.jwksUri`)];
    if (typeof jwksUri === 'string' && /^https:\/\/\S+$/.test(jwksUri) && URL.canParse(jwksUri)) return [];
    const what = 'keys are fetched over HTTPS only: whoever can change them can sign tokens';
    return [{ where: `${where}.jwksUri`, what, received: jwksUri, allowed: 'an https:// URL' }];
  }
  const keys = isRecord(jwks) ? jwks['keys'] : undefined;
  if (!Array.isArray(keys) || keys.length === 0) {
    return [
      { where: `${where}.jwks`, what: 'is not a JSON Web Key Set', allowed: '{ keys: [...] } (RFC 7517)' },
    ];
  }
  return keys.flatMap((key: unknown, index): Problem[] => {
    const at = `${where}.jwks.keys[${index}]`;
    if (!isRecord(key) || typeof key['kty'] !== 'string') {
      return [{ where: at, what: 'is not a JSON Web Key', allowed: 'an object with kty (RFC 7517)' }];
    }
    const found = privateMembers.filter((member) => member in key);
    if (found.length === 0 && key['kty'] !== 'oct') {
      const what = 'is not a public key that can be parsed';
      return isPublicKey(key)
        ? []
        : [{ where: at, what, allowed: 'an RSA, EC or OKP key (RFC 7518 and RFC 8037)' }];
    }
    return [
      {
        where: at,
        what: `the key is not public: it has ${found.length === 0 ? 'kty oct' : found.join(', ')}`,
        fix: 'give only the public key, and replace this one: it has been in a source file',
      },
    ];
  });
}

function isPublicKey(key: Unchecked): boolean {
  try {
    createPublicKey({ key: { ...key }, format: 'jwk' });
    return true;
  } catch {
    return false;
  }
}

/** Whether a URL has a user or a password in it (RFC 3986, section 3.2.1). */
function hasUserinfo(text: string): boolean {
  if (/:[/\\]{2}[^/?#]*@/.test(text)) return true;
  if (!URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username !== '' || password !== '';
}

/** Without what was received: it may be a secret. */
function userinfoProblem(where: string): Problem {
  const what = 'has a user or a password in its URL, which everyone who reads the mesh would see';
  return { where, what, fix: 'leave it out, and replace the password: it has been in a source file' };
}

function claimProblems(jwt: string, claims: unknown): readonly Problem[] {
  if (claims === undefined) return [];
  const where = `${jwt}.claims`;
  const allowed = "metadata by claim, such as { sub: 'x-user' }";
  if (!isRecord(claims)) return [{ where, what: 'is not an object', received: claims, allowed }];
  const entries = Object.entries(claims);
  return entries.flatMap(([claim, metadata], index): Problem[] => {
    const at = `${where}.${claim}`;
    const wrong = metadataClaimProblems(where, claim);
    if (wrong.length > 0) return [...wrong];
    if (typeof metadata !== 'string' || !/^x-[a-z0-9_-]{1,61}$/.test(metadata) || taken.test(metadata)) {
      const what = 'is not a metadata name that a claim may use';
      return [{ where: at, what, received: metadata, allowed: metadataRule }];
    }
    const rival = entries.slice(0, index).find(([, other]) => other === metadata);
    if (rival === undefined) return [];
    return [{ where: at, what: `the metadata already carries the claim ${rival[0]}`, received: metadata }];
  });
}

function methodProblems(
  edge: string,
  mesh: object,
  jwt: Unchecked,
  exposed: readonly Asked[],
): readonly Problem[] {
  const { except = [], rules = [] } = jwt;
  const problems: Problem[] = [];
  for (const [key, value] of Object.entries({ except, rules })) {
    if (!Array.isArray(value))
      problems.push({ where: `${edge}: jwt.${key}`, what: 'is not a list', received: value });
  }
  if (problems.length > 0) return problems;
  const open = except as readonly unknown[];
  problems.push(...exposedProblems(edge, mesh, open, exposed, (index) => `jwt.except[${index}]`));
  const checks = (rules as readonly unknown[]).map((rule) => (isRecord(rule) ? rule : {}));
  const methods = checks.map(({ method }) => method);
  problems.push(...exposedProblems(edge, mesh, methods, exposed, (index) => `jwt.rules[${index}].method`));
  checks.forEach(({ method, claim, values }, index) => {
    const where = `${edge}: jwt.rules[${index}]`;
    problems.push(...unknownKeys(where, checks[index], ruleKeys));
    if (isAsked(method) && open.some((each) => isAsked(each) && isSame(each, method))) {
      const fix = 'remove it from except, or remove the rule';
      problems.push({
        where,
        what: `the ${kindOf(method)} needs no token, because except lists it`,
        received: askedName(method),
        fix,
      });
    }
    problems.push(...ruleClaimProblems(`${where}.claim`, claim));
    if (Array.isArray(values) && values.some((value) => ['boolean', 'number'].includes(typeof value))) {
      const what = 'Istio compares only strings: a claim that is a boolean or a number would never match';
      const fix = 'have the issuer put it into a string, and require that';
      problems.push({ where: `${where}.values`, what, received: values, allowed: 'strings', fix });
    } else if (!isTexts(values)) {
      const allowed = 'a list of at least one string';
      problems.push({ where: `${where}.values`, what: 'is not a list of values', received: values, allowed });
    } else if (values.some((text) => text.startsWith('*') || text.endsWith('*'))) {
      const what = "Istio reads '*' at the start or end of a value as a wildcard";
      const fix = 'list each value';
      problems.push({ where: `${where}.values`, what, received: values, fix });
    }
  });
  return problems;
}

/** What is wrong with methods and routes that have to be among the exposed ones. */
export function exposedProblems(
  edge: string,
  mesh: object,
  methods: readonly unknown[],
  exposed: readonly Asked[],
  at: (index: number) => string,
): readonly Problem[] {
  return methods.flatMap((method, index): readonly Problem[] => {
    const wrong = callProblems(edge, mesh, [method], () => at(index), { routes: exposed.some(isRoute) });
    if (wrong.length > 0 || !isAsked(method)) return wrong;
    if (exposed.some((other) => isSame(method, other))) return [];
    const allowed = exposed.map(askedName).join(', ');
    const received = askedName(method);
    const fix = 'expose it, or remove it here';
    const what = `the ${kindOf(method)} is not exposed`;
    return [{ where: `${edge}: ${at(index)}`, what, received, allowed, fix }];
  });
}

function isAsked(value: unknown): value is Asked {
  return isRoute(value) || isMethod(value);
}

function kindOf(asked: Asked): string {
  return isRoute(asked) ? 'route' : 'method';
}

function isTexts(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((text) => typeof text === 'string' && text !== '')
  );
}

function isRecord(value: unknown): value is Unchecked {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
