import type { IncomingMessage } from 'node:http';
import { status } from '@grpc/grpc-js';
import type { DescMethod, Registry } from '@bufbuild/protobuf';
import type { Binding } from '../../../http-rule/binding.ts';
import { templateText } from '../../../http-rule/template-text.ts';
import { statusError } from '../../runtime/status.ts';
import { routerOf } from '../binding/bindings.ts';
import { codecOf } from '../codec/codec.ts';
import type { BindingCodec } from '../codec/codec.ts';
import type { Router } from '../binding/router.ts';
import { HttpError } from './http-status.ts';
import type { Transport } from '../transport/types.ts';
import type { Upstreams } from '../transport/upstreams.ts';

/** Where a request of HTTP leads, with all that can be made ready before it comes. */
export interface Route {
  readonly binding: Binding;
  readonly codec: BindingCodec;
  readonly transport: Transport;
  readonly method: DescMethod;
  /** `pkg.Service/Method`, for people. */
  readonly name: string;
  /** `/pkg.Service/Method`, for gRPC. */
  readonly path: string;
  /** Its template, `/v1/products/{id}`: a label, unlike the path. */
  readonly template: string;
  /** Whether the client sends, and the service answers, many messages. */
  readonly manyIn: boolean;
  readonly manyOut: boolean;
}

/** A route and what this request's path and query say. */
export interface Match {
  readonly route: Route;
  /** Raw path segments, as the router found them. */
  readonly path: readonly string[];
  /** Raw query, without the question mark. */
  readonly query: string;
}

/** The answer to OPTIONS: the methods of a path, or no word about the server as a whole. */
export interface Allowed {
  readonly allow: string | undefined;
}

/** Longest request target; RFC 9110, section 4.1, asks for at least 8000. Bytes. */
const urlLimit = 8_192;

/** The routes of a gateway, by method and path. */
export class RouteTable {
  readonly #router: Router<Binding>;
  readonly #upstreams: Upstreams;
  readonly #registry: Registry;
  readonly #routes = new Map<Binding, Route>();

  /** @throws Error when a binding is equal to another */
  constructor(bindings: Iterable<Binding>, upstreams: Upstreams, registry: Registry) {
    const all = [...bindings];
    this.#router = routerOf(all);
    this.#upstreams = upstreams;
    this.#registry = registry;
    // Before the first request, which would have to wait for it.
    for (const binding of all) this.#routeOf(binding);
  }

  /** @throws StatusError NOT_FOUND, HttpError 405 or 414 */
  find(request: IncomingMessage): Match | Allowed {
    const { method = '', url = '/' } = request;
    if (url.length > urlLimit) {
      const message = `target: more than ${urlLimit} bytes`;
      throw new HttpError(414, status.INVALID_ARGUMENT, message, { connection: 'close' });
    }
    if (url === '*' && method === 'OPTIONS') return { allow: undefined };
    const { rawPath, query } = targetOf(url);
    let found = this.#router.find(method, rawPath);
    // RFC 9110, section 9.3.2: what has GET has HEAD, and the server leaves the body out; but a stream has no end to wait for.
    if (found.kind === 'method' && method === 'HEAD' && found.allowed.includes('GET')) {
      const get = this.#router.find('GET', rawPath);
      if (get.kind === 'route' && !this.#routeOf(get.target).manyOut) found = get;
    }
    switch (found.kind) {
      case 'none':
        throw statusError(status.NOT_FOUND, 'path: nothing is served here');
      case 'method': {
        const allow = this.#withHead(found.allowed, rawPath).join(', ');
        if (method === 'OPTIONS') return { allow };
        const message = `method: ${method} received; allowed here ${allow}`;
        throw new HttpError(405, status.UNIMPLEMENTED, message, { allow });
      }
      case 'route':
        return { route: this.#routeOf(found.target), path: found.path, query };
    }
  }

  /**
   * The streaming method of a path, whatever its HTTP method: a WebSocket's handshake is always a GET. The one of GET
   * comes first.
   */
  findStream({ url = '/' }: IncomingMessage): Match | undefined {
    if (url.length > urlLimit) return undefined;
    const { rawPath, query } = targetOf(url);
    const first = this.#router.find('GET', rawPath);
    const others =
      first.kind === 'method' ? first.allowed.map((each) => this.#router.find(each, rawPath)) : [];
    for (const found of [first, ...others]) {
      if (found.kind !== 'route') continue;
      const route = this.#routeOf(found.target);
      if (route.manyIn || route.manyOut) return { route, path: found.path, query };
    }
    return undefined;
  }

  /** What has GET has HEAD, as above. */
  #withHead(allowed: readonly string[], rawPath: string): readonly string[] {
    const get = this.#router.find('GET', rawPath);
    if (get.kind !== 'route' || this.#routeOf(get.target).manyOut || allowed.includes('HEAD')) return allowed;
    return allowed.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  }

  #routeOf(binding: Binding): Route {
    const known = this.#routes.get(binding);
    if (known !== undefined) return known;
    const { method } = binding;
    const name = `${method.parent.typeName}/${method.name}`;
    const route: Route = {
      binding,
      codec: codecOf(binding, this.#registry),
      transport: this.#upstreams.transportOf(method.parent),
      method,
      name,
      path: `/${name}`,
      template: templateText(binding.template),
      manyIn: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
      manyOut: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
    };
    this.#routes.set(binding, route);
    return route;
  }
}

/**
 * The path and the query of a request target, in its origin-form or its absolute-form, which RFC 9112, section 3.2.2,
 * has every server take.
 * @throws StatusError INVALID_ARGUMENT for a fragment, which no target has
 */
export function targetOf(target: string): { rawPath: string; query: string } {
  const origin = target.startsWith('/') ? undefined : /^https?:\/\/[^/?#]*/i.exec(target)?.[0];
  const url = origin === undefined ? target : target.slice(origin.length) || '/';
  if (url.includes('#'))
    throw statusError(status.INVALID_ARGUMENT, 'target: a fragment ("#") is not allowed');
  const mark = url.indexOf('?');
  return mark < 0 ? { rawPath: url, query: '' } : { rawPath: url.slice(0, mark), query: url.slice(mark + 1) };
}
