import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { overlap, shareHttpMethod } from '../../../http-rule/overlap.ts';
import { anyMethod, patternsOf } from '../../../http-rule/pattern.ts';
import type { Pattern } from '../../../http-rule/pattern.ts';
import { literalText } from '../../../http-rule/template-text.ts';
import type { Segment } from '../../../http-rule/template.ts';
import { istioPaths } from './istio-paths.ts';
import { answersHead } from './ways.ts';

/** Requests over HTTP, in the terms of an AuthorizationPolicy's operation. */
export interface HttpOperation {
  /** HTTP methods. @default - every one, as a custom pattern of kind "*" asks for */
  readonly methods?: readonly string[];
  /** Paths and path templates (https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation). */
  readonly paths: readonly string[];
  /** What of them belongs to other methods. @default - nothing */
  readonly notPaths?: readonly string[];
}

/**
 * The ways of HTTP to a gRPC method, additional bindings included, as an AuthorizationPolicy says them: `{id}` and
 * `{name=shelves/*}` become Istio's `{*}`, and what has GET has HEAD. Where the paths of another method lie within, such as `/v1/items/newest`
 * within `/v1/items/{*}`, they are left out, as the gateway takes them to that other method.
 * @param beside - services that the same gateway serves, the method's own among them
 */
export function httpOperations(method: DescMethod, beside: readonly DescService[]): HttpOperation[] {
  const rivals = rivalsOf(method, beside);
  return patternsOf(method)
    .filter(isSayable)
    .map((pattern) => {
      const within = rivals.filter((rival) => takesFrom(rival, pattern)).flatMap(exclusions);
      return {
        ...(pattern.httpMethod === anyMethod ? {} : { methods: httpMethodsOf(pattern, beside) }),
        paths: istioPaths(pattern),
        ...(within.length === 0 ? {} : { notPaths: [...new Set(within)].sort() }),
      };
    });
}

function httpMethodsOf(pattern: Pattern, beside: readonly DescService[]): readonly string[] {
  return answersHead(pattern, beside) ? [pattern.httpMethod, 'HEAD'] : [pattern.httpMethod];
}

/** The paths of a method that no AuthorizationPolicy can say: those with a verb after a variable, `/v1/{id}:cancel`. */
export function pathsWithoutOperation(method: DescMethod): string[] {
  const unsayable = patternsOf(method).filter((pattern) => !isSayable(pattern));
  return unsayable.map(({ source }) => source);
}

/**
 * Paths of other methods that would have to be left out of the method's, and that a client can write so that an
 * AuthorizationPolicy does not know them again: Envoy decodes what need not be encoded (RFC 3986, section 2.3), and the
 * gateway everything.
 */
export function pathsToEvade(method: DescMethod, beside: readonly DescService[]): string[] {
  const rivals = rivalsOf(method, beside).filter((rival) => !isPlain(rival));
  const ours = patternsOf(method).filter(isSayable);
  const found = rivals.filter((rival) => ours.some((pattern) => takesFrom(rival, pattern)));
  return [...new Set(found.map(({ source }) => source))];
}

/** The patterns of all other methods. */
function rivalsOf(method: DescMethod, beside: readonly DescService[]): readonly Pattern[] {
  const others = beside.flatMap((service) => service.methods.filter((other) => other !== method));
  return others.flatMap(patternsOf);
}

function isPlain({ template: { segments, verb = '' } }: Pattern): boolean {
  const texts = segments.flatMap((segment) => (segment.kind === 'literal' ? [segment.text] : []));
  return [...texts, verb].every((text) => /^[\w.~-]*$/.test(text));
}

function isSayable({ template: { segments, verb } }: Pattern): boolean {
  return verb === undefined || segments.at(-1)?.kind === 'literal';
}

/**
 * Whether the gateway takes some requests of the pattern to the rival: it goes by the verb first, then by whose segments
 * are the more literal, from the left.
 */
function takesFrom(rival: Pattern, pattern: Pattern): boolean {
  const [theirs, ours] = [rival.template, pattern.template];
  if (!shareHttpMethod(rival, pattern) || !overlap(theirs.segments, ours.segments)) return false;
  if (theirs.verb !== ours.verb) return ours.verb === undefined && ours.segments.at(-1)?.kind !== 'literal';
  const ranks = ours.segments.map((segment, at) => rank(theirs.segments[at]) - rank(segment));
  return (ranks.find((difference) => difference !== 0) ?? 0) < 0;
}

function rank(segment: Segment | undefined): number {
  return segment?.kind === 'rest' ? 2 : segment?.kind === 'one' ? 1 : 0;
}

/** As AuthorizationPolicies say it; a verb after a variable by the end of the path, whatever stands before. */
function exclusions(pattern: Pattern): readonly string[] {
  return isSayable(pattern) ? istioPaths(pattern) : [`*:${literalText(pattern.template.verb ?? '')}`];
}
