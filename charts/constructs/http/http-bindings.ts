import { getOption, hasOption } from '@bufbuild/protobuf';
import type { DescMethod } from '@bufbuild/protobuf';
import { http } from '../../../gen/google/api/annotations_pb.js';
import type { HttpRule } from '../../../gen/google/api/http_pb.js';
import { reservedPaths } from '../../../apps/config/reserved-paths.ts';

/** One way of HTTP to a gRPC method, as the gateways have to tell it from others. */
export interface Binding {
  readonly method: DescMethod;
  /** HTTP method; `*` for any. */
  readonly verb: string;
  /** The path template as it stands in the proto. */
  readonly template: string;
  /** Its segments: literals, `*` for exactly one, `**` at the end for any number. */
  readonly segments: readonly string[];
  /** What follows the last colon (AIP-136), if there is one. */
  readonly suffix: string | undefined;
}

/** A binding, or a handshake of WebSocket that leads to it. */
export interface Way extends Binding {
  /** For people: `GET /v1/products/{id}`. */
  readonly name: string;
}

const literal = String.raw`[A-Za-z0-9\-._~!$&'()+,;@%]+`;
const variable = /\{[A-Za-z_][\w.]*(?:=([^{}]*))?\}/g;
const flat = new RegExp(String.raw`^((?:/(?:\*\*?|${literal}))+)(?::(${literal}))?$`);

/** The bindings of a method's google.api.http option, additional ones included; templates no gateway reads are left out. */
export function bindingsOf(method: DescMethod): readonly Binding[] {
  return rulesOf(method).flatMap((rule): Binding[] => {
    const { verb, template } = patternOf(rule);
    const parsed = parse(template);
    return parsed === undefined ? [] : [{ method, verb, template, ...parsed }];
  });
}

/** Those of the HTTP gateway's own paths that the bindings of a method would take, each with the template that does. */
export function reservedTaken(
  method: DescMethod,
): readonly { readonly template: string; readonly path: string }[] {
  return bindingsOf(method).flatMap((binding) => {
    const path = reservedPaths.find((each) => takes(binding, each));
    return path === undefined ? [] : [{ template: binding.template, path }];
  });
}

/** None of those paths has a colon, so that a suffix tells a binding from them. */
function takes({ segments, suffix }: Binding, path: string): boolean {
  const parts = path.slice(1).split('/');
  if (suffix !== undefined || (segments.length !== parts.length && segments.at(-1) !== '**')) return false;
  return segments.every((segment, index) => {
    const part = parts[index];
    return segment === '**' || (segment === '*' ? part !== undefined : decode(segment) === part);
  });
}

/**
 * All ways to a method: its bindings and, where it streams, the handshakes of WebSocket on the same paths. Those are
 * always GET (RFC 6455, section 4.1), whatever the binding says.
 */
export function waysOf(method: DescMethod): readonly Way[] {
  const ways = bindingsOf(method).map((binding) => ({
    ...binding,
    name: `${binding.verb} ${binding.template}`,
  }));
  if (method.methodKind === 'unary') return ways;
  const others = ways.filter(({ verb }) => verb !== 'GET' && verb !== '*');
  return [...ways, ...others.map((way) => ({ ...way, verb: 'GET', name: `the WebSocket of ${way.name}` }))];
}

/** The templates of a method's google.api.http option that break the grammar of google/api/http.proto. */
export function brokenTemplates(method: DescMethod): readonly string[] {
  return rulesOf(method)
    .map((rule) => patternOf(rule).template)
    .filter((template) => parse(template) === undefined);
}

function rulesOf(method: DescMethod): readonly HttpRule[] {
  if (!hasOption(method, http)) return [];
  const rule = getOption(method, http);
  return [rule, ...rule.additionalBindings];
}

function patternOf({ pattern }: HttpRule): { readonly verb: string; readonly template: string } {
  switch (pattern.case) {
    case undefined:
      return { verb: '*', template: '' };
    case 'custom':
      return { verb: pattern.value.kind, template: pattern.value.path };
    default:
      return { verb: pattern.case.toUpperCase(), template: pattern.value };
  }
}

function parse(template: string): Pick<Binding, 'segments' | 'suffix'> | undefined {
  const match = flat.exec(template.replaceAll(variable, (_, inner: string | undefined) => inner ?? '*'));
  if (match?.[1] === undefined) return undefined;
  const segments = match[1].slice(1).split('/');
  const rest = segments.indexOf('**');
  return rest >= 0 && rest < segments.length - 1 ? undefined : { segments, suffix: match[2] };
}

/**
 * The paths of a binding as Istio writes them in `operation.paths`
 * (https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation): `{*}` is a segment, `{**}`
 * any number of them. A template operator has to be a whole segment there, so that of `{id}:verb` only the `{id}` can
 * be said: the pattern lets through more, which {@link overlap} accounts for.
 */
export function istioPaths({ segments, suffix }: Binding): readonly string[] {
  const colon = suffix === undefined ? '' : `:${suffix}`;
  const last = segments.at(-1);
  const path = (parts: readonly string[]) =>
    `/${parts.map((part) => (part === '*' || part === '**' ? `{${part}}` : part)).join('/')}`;
  if (last === '**') return [`${path(segments.slice(0, -1))}${colon}`, path(segments)];
  return [last === '*' ? path(segments) : `${path(segments)}${colon}`];
}

/** A regular expression (RE2, of the whole value) for the header `:path` of the requests of a binding. */
export function pathRegex({ segments, suffix }: Binding): string {
  const parts = segments.map((part) => {
    if (part === '**') return '(/[^?]*)?';
    return part === '*' ? '/[^/?]+' : `/${escape(part)}`;
  });
  return `${parts.join('')}${suffix === undefined ? '' : escape(`:${suffix}`)}(\\?.*)?`;
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

/** Whether there is a request that both bindings' patterns at the gateways take. */
export function overlap(a: Binding, b: Binding): boolean {
  if (a.verb !== '*' && b.verb !== '*' && a.verb !== b.verb) return false;
  const [ours, theirs] = [comparable(a), comparable(b)];
  for (let index = 0; ; index++) {
    const [one, other] = [ours[index], theirs[index]];
    if (one === '**' || other === '**') return true;
    if (one === undefined || other === undefined) return one === other;
    if (one !== '*' && other !== '*' && one !== other) return false;
  }
}

/** Literals decoded, as the HTTP gateway compares them; a suffix belongs to a literal and widens an operator. */
function comparable({ segments, suffix }: Binding): readonly string[] {
  const last = segments.length - 1;
  return segments.map((part, index) => {
    if (part === '*' || part === '**') return part;
    return decode(index === last && suffix !== undefined ? `${part}:${suffix}` : part);
  });
}

/** Text without its percent-encoding, as the HTTP gateway compares it. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
