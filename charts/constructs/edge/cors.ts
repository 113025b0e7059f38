import { keysOf, unknownKeys } from '../../../core/keys.ts';
import type { Problem } from '../../../core/problem.ts';
import type { IstioSpec } from '../../model/istio-models.ts';
import { re2Problem } from '../http/re2.ts';

/** Which pages of other origins may use the edge from a browser (Fetch Standard, "HTTP-CORS protocol"). */
export interface Cors {
  /**
   * Origins such as `https://shop.example`; `'*'` is every one; `regex` is RE2 and has to match the whole origin. Pages of
   * those that are named may open WebSockets, too.
   */
  readonly origins: readonly (string | { readonly regex: string })[];
  /** HTTP methods of RFC 9110 and 5789, or `'*'`. @default - those of the exposed methods */
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

const corsKeys = keysOf<Cors>({
  origins: true,
  methods: true,
  headers: true,
  exposeHeaders: true,
  credentials: true,
  maxAgeSeconds: true,
});

type Policy = NonNullable<NonNullable<IstioSpec<'VirtualService'>['http']>[number]['corsPolicy']>;

/** What istiod takes (istio.io/istio/pkg/config/validation, `supportedCORSMethods`), beside `*`. */
const istioMethods: readonly unknown[] = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
];

/** Nobody's: the top-level domain is reserved (RFC 2606). An expression that takes one of them takes any site. */
const strangers = [
  'https://meshwright.invalid',
  'https://www.q7-probe.invalid',
  'http://q7probe.invalid:8080',
];

/** @param httpMethods - of what is exposed */
export function corsPolicy(cors: Cors, httpMethods: readonly string[]): Policy {
  return {
    allowOrigins: cors.origins.map((origin) => (typeof origin === 'string' ? { exact: origin } : origin)),
    allowMethods: [...(cors.methods ?? httpMethods.filter((each) => istioMethods.includes(each)))],
    allowHeaders: [...(cors.headers ?? ['authorization', 'content-type'])],
    ...(cors.exposeHeaders === undefined ? {} : { exposeHeaders: [...cors.exposeHeaders] }),
    allowCredentials: cors.credentials ?? false,
    maxAge: `${cors.maxAgeSeconds ?? 600}s`,
    // A preflight of another origin ends at the gateway, which is what its browser needs to know.
    unmatchedPreflights: 'IGNORE',
  };
}

/**
 * The origins whose pages may open a WebSocket, which browsers do without asking (RFC 6455, section 10.2): those that are
 * named. The gateway app compares them as they are, so that expressions and `'*'` count for requests only.
 */
export function webSocketOrigins(cors: Cors | undefined): readonly string[] {
  const named = (cors?.origins ?? []).filter((origin) => typeof origin === 'string');
  return named.filter((origin) => /^https?:/.test(origin));
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** What is wrong with an edge's CORS settings; plain JavaScript may pass anything. */
export function corsProblems(edge: string, cors: Cors | undefined): readonly Problem[] {
  if (cors === undefined) return [];
  const where = `${edge}: cors`;
  const { origins, maxAgeSeconds = 600 } = cors as { origins: unknown; maxAgeSeconds?: number };
  if (!Array.isArray(origins) || origins.length === 0) {
    const allowed = 'a list of origins, such as https://shop.example';
    const unknown = unknownKeys(where, cors, corsKeys);
    return [
      ...unknown,
      { where: `${where}.origins`, what: 'is not a list of at least one origin', received: origins, allowed },
    ];
  }
  const problems: Problem[] = unknownKeys(where, cors, corsKeys);
  const ofOrigins = origins.flatMap((origin: unknown, index): readonly Problem[] =>
    originProblems(`${where}.origins[${index}]`, origin, cors.credentials === true),
  );
  problems.push(...ofOrigins);
  const { methods = [] } = cors as { methods?: unknown };
  if (!Array.isArray(methods) || !methods.every((each) => each === '*' || istioMethods.includes(each))) {
    const allowed = `a list of ${istioMethods.join(', ')}, *`;
    const what = 'is not a list of HTTP methods that Istio accepts';
    problems.push({ where: `${where}.methods`, what, received: methods, allowed });
  }
  for (const key of ['headers', 'exposeHeaders'] as const) {
    const value: unknown = cors[key] ?? [];
    if (Array.isArray(value) && value.every((name) => typeof name === 'string' && token.test(name))) continue;
    problems.push({ where: `${where}.${key}`, what: 'is not a list of HTTP header names', received: value });
  }
  if (!Number.isInteger(maxAgeSeconds) || maxAgeSeconds < 0 || maxAgeSeconds > 86_400) {
    const allowed = 'a whole number from 0 to 86400';
    problems.push({
      where: `${where}.maxAgeSeconds`,
      what: 'is not a number of seconds',
      received: maxAgeSeconds,
      allowed,
    });
  }
  return problems;
}

function originProblems(where: string, origin: unknown, credentials: boolean): readonly Problem[] {
  const allowed = "'*', an origin such as https://shop.example, or { regex }";
  const fix = 'name the origins, or leave credentials out';
  if (origin === '*') {
    if (!credentials) return [];
    return [
      {
        where,
        what: 'with credentials, any website could act on behalf of its visitors',
        received: '*',
        fix,
      },
    ];
  }
  if (typeof origin === 'string') {
    if (URL.canParse(origin) && new URL(origin).origin === origin) return [];
    return [{ where, what: 'is not an origin', received: origin, allowed }];
  }
  const unknown = unknownKeys(where, origin, ['regex']);
  if (unknown.length > 0) return unknown;
  const regex: unknown =
    typeof origin === 'object' && origin !== null && 'regex' in origin ? origin.regex : undefined;
  if (typeof regex !== 'string' || regex === '')
    return [{ where, what: 'is not an origin', received: origin, allowed }];
  const what = re2Problem(regex);
  if (what !== undefined) return [{ where, what, received: regex }];
  if (!credentials || !strangers.some((stranger) => matches(regex, stranger))) return [];
  return [
    {
      where,
      what: 'with credentials, any website could act on behalf of its visitors',
      received: regex,
      fix,
    },
  ];
}

/** Whether an expression takes the whole text, as far as JavaScript reads it like RE2. */
function matches(regex: string, text: string): boolean {
  const [, flags = '', rest = ''] = /^(?:\(\?([ims]+)\))?([^]*)$/.exec(regex) ?? [];
  try {
    return new RegExp(`^(?:${rest.replaceAll('(?P<', '(?<')})$`, flags).test(text);
  } catch {
    return false;
  }
}
