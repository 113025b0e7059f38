import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { bindingsOf, decode, istioPaths, type Binding } from './http-bindings.ts';

/** Requests over HTTP, in the terms of an AuthorizationPolicy's operation. */
export interface HttpOperation {
  /** HTTP verbs. @default - every verb, as a custom pattern of kind "*" asks for */
  readonly methods?: readonly string[];
  /** Paths and path templates (https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation). */
  readonly paths: readonly string[];
  /** What of them belongs to other methods. @default - nothing */
  readonly notPaths?: readonly string[];
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
  const rivals = others.flatMap(bindingsOf);
  return bindingsOf(method)
    .filter(isSayable)
    .map((binding) => {
      const within = rivals.filter((rival) => takesFrom(rival, binding)).flatMap(exclusions);
      return {
        ...(binding.verb === anyMethod ? {} : { methods: [binding.verb] }),
        paths: istioPaths(binding),
        ...(within.length === 0 ? {} : { notPaths: [...new Set(within)].sort() }),
      };
    });
}

/** The paths of a method that no AuthorizationPolicy can say: those with a verb after a variable, `/v1/{id}:cancel`. */
export function pathsWithoutOperation(method: DescMethod): string[] {
  const unsayable = bindingsOf(method).filter((binding) => !isSayable(binding));
  return unsayable.map(({ template }) => template);
}

/**
 * Paths of other methods that would have to be left out of the method's, and that a client can write so that an
 * AuthorizationPolicy does not know them again: Envoy decodes what need not be encoded (RFC 3986, section 2.3), and the
 * gateway everything.
 */
export function pathsToEvade(method: DescMethod, beside: readonly DescService[]): string[] {
  const others = beside.flatMap((service) => service.methods.filter((other) => other !== method));
  const rivals = others.flatMap(bindingsOf).filter((rival) => !isPlain(rival));
  const ours = bindingsOf(method).filter(isSayable);
  const found = rivals.filter((rival) => ours.some((binding) => takesFrom(decoded(rival), decoded(binding))));
  return [...new Set(found.map(({ template }) => template))];
}

function isPlain({ segments, suffix = '' }: Binding): boolean {
  return [...segments, suffix].every((text) => isWild(text) || /^[\w.~-]*$/.test(text));
}

function decoded(binding: Binding): Binding {
  return { ...binding, segments: binding.segments.map(decode) };
}

function isSayable({ segments, suffix }: Binding): boolean {
  return suffix === undefined || !isWild(segments.at(-1));
}

function isWild(segment: string | undefined): boolean {
  return segment === '*' || segment === '**';
}

/**
 * Whether the gateway takes some requests of the binding to the rival: it goes by the suffix first, then by whose segments
 * are the more literal, from the left.
 */
function takesFrom(rival: Binding, binding: Binding): boolean {
  const verbs = [rival.verb, binding.verb];
  if (!verbs.includes(anyMethod) && rival.verb !== binding.verb) return false;
  if (!overlap(rival.segments, binding.segments)) return false;
  if (rival.suffix !== binding.suffix) return binding.suffix === undefined && isWild(binding.segments.at(-1));
  const index = binding.segments.findIndex((segment, at) => segment !== rival.segments[at]);
  return index >= 0 && rank(rival.segments[index]) < rank(binding.segments[index]);
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
function exclusions(binding: Binding): readonly string[] {
  return isSayable(binding) ? istioPaths(binding) : [`*:${binding.suffix ?? ''}`];
}
