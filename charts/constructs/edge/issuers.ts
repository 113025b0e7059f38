import { isDeepStrictEqual } from 'node:util';
import type { Problem } from '../../../core/problem.ts';

/** An edge by what it says of tokens; plain JavaScript may have said anything. */
interface Taker {
  readonly where: string;
  readonly jwt: unknown;
}

type Unchecked = Readonly<Record<string, unknown>>;

/** What an edge says of tokens that does not go with what an earlier one says of the same issuer's. */
export function issuerProblems({ where: edge, jwt }: Taker, earlier: readonly Taker[]): readonly Problem[] {
  if (!isRecord(jwt)) return [];
  return earlier.flatMap((other): readonly Problem[] => {
    const theirs = other.jwt;
    if (!isRecord(theirs) || theirs['issuer'] !== jwt['issuer']) return [];
    const where = `${edge}: jwt`;
    const together = 'and the gateways authenticate the tokens of an issuer once for all edges';
    const found = metadataOf(jwt).flatMap(([claim, metadata]): Problem[] => {
      const rival = metadataOf(theirs).find(([name, taken]) => taken === metadata && name !== claim);
      if (rival === undefined) return [];
      const what = `the metadata already carries the claim ${rival[0]} at ${other.where}, ${together}`;
      const fix = 'use another name';
      return [{ where: `${where}.claims.${claim}`, what, received: metadata, fix }];
    });
    const isSame = (['jwksUri', 'jwks'] as const).every((key) => isDeepStrictEqual(jwt[key], theirs[key]));
    if (isSame) return found;
    const what = `the issuer has different keys at ${other.where}, ${together}`;
    return [{ where, what, fix: 'give both the same jwksUri or jwks' }, ...found];
  });
}

function metadataOf({ claims }: Unchecked): readonly [string, unknown][] {
  return isRecord(claims) ? Object.entries(claims) : [];
}

function isRecord(value: unknown): value is Unchecked {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
