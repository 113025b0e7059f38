import type { IstioSpec } from '../../model/istio-models.ts';
import { claimPath } from './claim-names.ts';
import { isSame, type Asked } from './expose.ts';

/** A public JSON Web Key Set (RFC 7517). */
export interface JsonWebKeySet {
  readonly keys: readonly Readonly<Record<string, unknown>>[];
}

/** A claim that a method asks of the token. */
export interface ClaimRule<C extends string> {
  /** An exposed method, or a route, that is not among `except`. */
  readonly method: Asked<C>;
  /**
   * Claim, a text or a list of texts, which alone Istio compares; dots lead into objects: `realm.roles`. A name with dots of
   * its own stands in brackets: `[https://shop.example/roles]`, `[kubernetes.io][namespace]`.
   */
  readonly claim: string;
  /** What it may be, or contain: any one of these, exactly; none starts or ends with `*`. */
  readonly values: readonly string[];
}

/**
 * Who may call from outside: bearers of a JSON Web Token (RFC 7519) of one issuer, in the header `Authorization`
 * (`Bearer ...`). The token itself ends at the gateway; its claims go on as metadata where `claims` says so.
 */
export type Jwt<C extends string> = {
  /** The claim `iss`, exactly. */
  readonly issuer: string;
  /** One of them has to be in the claim `aud`. */
  readonly audiences: readonly string[];
  /** gRPC metadata that carries a claim to the services, by claim: `{ sub: 'x-user' }`. @default - none */
  readonly claims?: Readonly<Record<string, string>>;
  /** Exposed methods and routes that need no token. One that is sent all the same has to be valid. @default - none */
  readonly except?: readonly Asked<C>[];
  /** What tokens have to say beside, method by method; every rule of a method holds. @default - nothing */
  readonly rules?: readonly ClaimRule<C>[];
} & (
  | {
      /** Where the issuer publishes its keys; istiod of every cluster fetches them. HTTPS. */
      readonly jwksUri: string;
      readonly jwks?: never;
    }
  | {
      /** The issuer's public keys themselves: for where istiod cannot reach it, and for tests. */
      readonly jwks: JsonWebKeySet;
      readonly jwksUri?: never;
    }
);

/** What a request has to bring. */
export interface Requirement {
  readonly token: boolean;
  readonly claims: readonly Pick<ClaimRule<string>, 'claim' | 'values'>[];
}

/** What a request for it has to bring. */
export function requirementOf(jwt: Jwt<string> | undefined, asked: Asked): Requirement {
  if (jwt === undefined || jwt.except?.some((each) => isSame(each, asked)) === true) {
    return { token: false, claims: [] };
  }
  const rules = jwt.rules?.filter((rule) => isSame(rule.method, asked)) ?? [];
  return { token: true, claims: rules.map(({ claim, values }) => ({ claim, values })) };
}

/**
 * The RequestAuthentication of an edge's issuer on the ingress gateways
 * (https://istio.io/latest/docs/reference/config/security/request_authentication/). It refuses tokens that are not
 * valid (401) and takes claim headers away that clients send; that there is a token is up to the AuthorizationPolicy.
 * @param matchLabels - of the pods that tokens come to: the ingress gateways', or where those belong to others the edge's own
 * @param all - of every edge whose tokens come to these pods
 */
export function requestAuthentication(
  matchLabels: Readonly<Record<string, string>>,
  jwt: Jwt<string>,
  all: readonly (Jwt<string> | undefined)[],
): IstioSpec<'RequestAuthentication'> {
  const { audiences, claims } = ofIssuer(jwt, all);
  return {
    selector: { matchLabels },
    jwtRules: [
      {
        issuer: jwt.issuer,
        audiences,
        ...(jwt.jwksUri === undefined ? { jwks: JSON.stringify(jwt.jwks) } : { jwksUri: jwt.jwksUri }),
        ...(claims.length === 0 ? {} : { outputClaimToHeaders: claims }),
      },
    ],
  };
}

/**
 * What the gateways have to know of an issuer: they authenticate a token once, for whichever of its edges it comes, so
 * all of them say the same.
 */
function ofIssuer(jwt: Jwt<string>, all: readonly (Jwt<string> | undefined)[]) {
  const same = all.filter((other) => other?.issuer === jwt.issuer);
  const audiences = [...new Set(same.flatMap((other) => other?.audiences ?? []))];
  const pairs = same.flatMap((other) => Object.entries(other?.claims ?? {}));
  // Metadata stands for one claim of an issuer.
  const claims = new Map(pairs.map(([claim, header]) => [header, claim]));
  return { audiences, claims: [...claims].map(([header, claim]) => ({ claim, header })) };
}

/** A claim as the key of an AuthorizationPolicy's condition. */
export function claimKey(claim: string): string {
  return `request.auth.claims${(claimPath(claim) ?? []).map((part) => `[${part}]`).join('')}`;
}
