import { getOption, hasOption } from '@bufbuild/protobuf';
import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { http } from '../../../gen/google/api/annotations_pb.js';
import type { HttpRule } from '../../../gen/google/api/http_pb.js';

/** Requests over HTTP, in the terms of an AuthorizationPolicy's operation. */
export interface HttpOperation {
  /** HTTP verbs. @default - every verb, as a custom pattern of kind "*" asks for */
  readonly methods?: readonly string[];
  /** Paths and path templates (https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation). */
  readonly paths: readonly string[];
  /** What of them belongs to other methods. @default - nothing */
  readonly notPaths?: readonly string[];
}

/** One google.api.http pattern, taken apart. */
interface Pattern {
  readonly httpMethod: string;
  /** Literals, `*` for one segment, `**` for any number. */
  readonly segments: readonly string[];
  /** What follows the colon at the end; empty without one. */
  readonly verb: string;
}

const anyMethod = '*';

/**
 * The ways of HTTP to a gRPC method, additional bindings included, as an AuthorizationPolicy says them: `{id}` and
 * `{name=shelves/*}` become Istio's `{*}`. Where the paths of another method lie within, such as `/v1/items/newest`
 * within `/v1/items/{*}`, they are left out, as the gateway takes them to that other method.
 * @param beside - services that the same gateway serves, the method's own among them
 */
export function httpOperations(method: DescMethod, beside: readonly DescService[]): HttpOperation[] {
  const others = beside.flatMap((service) => service.methods.filter((other) => other !== method));
  const rivals = others.flatMap(patternsOf);
  return patternsOf(method).flatMap((pattern) => {
    const path = istioPath(pattern);
    if (path === undefined) return [];
    const within = rivals.filter((rival) => takesFrom(rival, pattern)).flatMap(exclusions);
    return [
      {
        ...(pattern.httpMethod === anyMethod ? {} : { methods: [pattern.httpMethod] }),
        paths: [path],
        ...(within.length === 0 ? {} : { notPaths: [...new Set(within)].sort() }),
      },
    ];
  });
}

/** The paths of a method that no AuthorizationPolicy can say: those with a verb after a variable, `/v1/{id}:cancel`. */
export function pathsWithoutOperation(method: DescMethod): string[] {
  return rulesOf(method)
    .map(({ pattern }) => (pattern.case === 'custom' ? pattern.value.path : (pattern.value ?? '')))
    .filter((path) => istioPath(parse('', path)) === undefined);
}

function rulesOf(method: DescMethod): HttpRule[] {
  if (!hasOption(method, http)) return [];
  const rule = getOption(method, http);
  return [rule, ...rule.additionalBindings];
}

function patternsOf(method: DescMethod): Pattern[] {
  return rulesOf(method).flatMap(({ pattern }) => {
    switch (pattern.case) {
      case undefined:
        return [];
      case 'custom':
        return [parse(pattern.value.kind, pattern.value.path)];
      default:
        return [parse(pattern.case.toUpperCase(), pattern.value)];
    }
  });
}

/** Source of the grammar: google/api/http.proto, "Path template syntax". */
function parse(httpMethod: string, template: string): Pattern {
  const plain = template.replace(/\{[^}=]+(?:=([^}]*))?\}/g, (_, inner: string | undefined) => inner ?? '*');
  const segments = plain.slice(1).split('/');
  const [last = '', ...verb] = (segments.pop() ?? '').split(':');
  return { httpMethod, segments: [...segments, last], verb: verb.join(':') };
}

function istioPath({ segments, verb }: Pattern): string | undefined {
  if (verb !== '' && isWild(segments.at(-1))) return undefined;
  const path = segments.map((segment) => (isWild(segment) ? `{${segment}}` : segment)).join('/');
  return `/${path}${verb === '' ? '' : `:${verb}`}`;
}

function isWild(segment: string | undefined): boolean {
  return segment === '*' || segment === '**';
}

/**
 * Whether the gateway takes some requests of the pattern to the rival: it goes by the verb first, then by whose segments
 * are the more literal, from the left.
 */
function takesFrom(rival: Pattern, pattern: Pattern): boolean {
  const verbs = [rival.httpMethod, pattern.httpMethod];
  if (!verbs.includes(anyMethod) && rival.httpMethod !== pattern.httpMethod) return false;
  if (!overlap(rival.segments, pattern.segments)) return false;
  if (rival.verb !== pattern.verb) return pattern.verb === '' && isWild(pattern.segments.at(-1));
  const index = pattern.segments.findIndex((segment, at) => segment !== rival.segments[at]);
  return index >= 0 && rank(rival.segments[index]) < rank(pattern.segments[index]);
}

/** Whether some path fits both. */
function overlap(a: readonly string[], b: readonly string[]): boolean {
  const [first, ...restA] = a;
  const [other, ...restB] = b;
  if (first === '**' || other === '**' || (first === undefined && other === undefined)) return true;
  if (first === undefined || other === undefined) return false;
  return (first === other || first === '*' || other === '*') && overlap(restA, restB);
}

function rank(segment: string | undefined): number {
  return segment === '**' ? 2 : segment === '*' ? 1 : 0;
}

/** As AuthorizationPolicies say it; a verb after a variable by the end of the path, whatever stands before. */
function exclusions(pattern: Pattern): string[] {
  return [istioPath(pattern) ?? `*:${pattern.verb}`];
}
