import type { Problem } from '../../../core/problem.ts';
import type { IstioSpec } from '../istio-models.ts';

/** Which pages of other origins may use the edge from a browser (Fetch Standard, "HTTP-CORS protocol"). */
export interface Cors {
  /** Origins such as `https://shop.example`; `'*'` is every one; `regex` is RE2 and has to match the whole origin. */
  readonly origins: readonly (string | { readonly regex: string })[];
  /** HTTP methods. @default - those of the exposed methods */
  readonly methods?: readonly string[];
  /** Request headers beyond the safelisted ones. @default authorization, content-type */
  readonly headers?: readonly string[];
  /** Response headers that scripts may read. @default - the safelisted ones */
  readonly exposeHeaders?: readonly string[];
  /** Whether requests may carry cookies. @default false */
  readonly credentials?: boolean;
  /** How long a browser may remember the answer to a preflight, in seconds. @default 600 */
  readonly maxAgeSeconds?: number;
}

type Policy = NonNullable<NonNullable<IstioSpec<'VirtualService'>['http']>[number]['corsPolicy']>;

/** @param verbs - HTTP methods of what is exposed */
export function corsPolicy(cors: Cors, verbs: readonly string[]): Policy {
  return {
    allowOrigins: cors.origins.map((origin) => (typeof origin === 'string' ? { exact: origin } : origin)),
    allowMethods: [...(cors.methods ?? verbs)],
    allowHeaders: [...(cors.headers ?? ['authorization', 'content-type'])],
    ...(cors.exposeHeaders === undefined ? {} : { exposeHeaders: [...cors.exposeHeaders] }),
    allowCredentials: cors.credentials ?? false,
    maxAge: `${cors.maxAgeSeconds ?? 600}s`,
    // A preflight of another origin ends at the gateway, which is what its browser needs to know.
    unmatchedPreflights: 'IGNORE',
  };
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** What is wrong with an edge's CORS settings; plain JavaScript may pass anything. */
export function corsProblems(edge: string, cors: Cors | undefined): readonly Problem[] {
  if (cors === undefined) return [];
  const where = `${edge}: cors`;
  const { origins, maxAgeSeconds = 600 } = cors as { origins: unknown; maxAgeSeconds?: number };
  if (!Array.isArray(origins) || origins.length === 0) {
    const allowed = 'a list of origins, such as https://shop.example';
    return [{ where: `${where}.origins`, what: 'there is no origin', received: origins, allowed }];
  }
  const problems = origins.flatMap((origin: unknown, index): readonly Problem[] =>
    originProblems(`${where}.origins[${index}]`, origin, cors.credentials === true),
  );
  for (const key of ['methods', 'headers', 'exposeHeaders'] as const) {
    const value: unknown = cors[key] ?? [];
    if (Array.isArray(value) && value.every((name) => typeof name === 'string' && token.test(name))) continue;
    problems.push({ where: `${where}.${key}`, what: 'is no list of HTTP names', received: value });
  }
  if (!Number.isInteger(maxAgeSeconds) || maxAgeSeconds < 0 || maxAgeSeconds > 86_400) {
    const allowed = 'a whole number from 0 to 86400';
    problems.push({ where: `${where}.maxAgeSeconds`, what: 'is no time', received: maxAgeSeconds, allowed });
  }
  return problems;
}

function originProblems(where: string, origin: unknown, credentials: boolean): readonly Problem[] {
  const allowed = "'*', an origin such as https://shop.example, or { regex }";
  const fix = 'name the origins, or leave credentials out';
  if (origin === '*') {
    if (!credentials) return [];
    return [{ where, what: 'with credentials every site could act for its visitors', received: '*', fix }];
  }
  if (typeof origin === 'string') {
    if (URL.canParse(origin) && new URL(origin).origin === origin) return [];
    return [{ where, what: 'is no origin', received: origin, allowed }];
  }
  const regex: unknown =
    typeof origin === 'object' && origin !== null && 'regex' in origin ? origin.regex : undefined;
  if (typeof regex !== 'string' || regex === '')
    return [{ where, what: 'is no origin', received: origin, allowed }];
  if (!credentials || !/^\^?\.[*+]\$?$/.test(regex)) return [];
  return [{ where, what: 'with credentials every site could act for its visitors', received: regex, fix }];
}
