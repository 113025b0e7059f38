import type { IncomingMessage, ServerResponse } from 'node:http';
import { status } from '@grpc/grpc-js';
import type { Metadata } from '@grpc/grpc-js';
import type { DescMethodUnary, DescService, Registry } from '@bufbuild/protobuf';
import { callUnary, isUnary } from '../runtime/client.ts';
import type { Logger } from '../runtime/log.ts';
import { StatusError, statusError } from '../runtime/status.ts';
import type { Binding } from './bindings.ts';
import { routerOf } from './bindings.ts';
import { readBody } from './body.ts';
import { headersOf, metadataOf } from './headers.ts';
import { decodeRequest, parseBody } from './request.ts';
import { encodeResponse } from './response.ts';
import type { Router } from './router.ts';
import { HttpError, httpStatusOf, statusJson } from './status.ts';
import type { Upstreams } from './upstreams.ts';

export interface GatewayOptions {
  /** Whose bindings are served. */
  readonly services: Iterable<DescService>;
  readonly upstreams: Upstreams;
  /** The types that may stand in a google.protobuf.Any. */
  readonly registry: Registry;
  /** Longest time for a call, its gRPC deadline. Milliseconds. */
  readonly timeoutMs: number;
  /** Longest request body. Bytes. */
  readonly bodyLimit: number;
  /** Request headers that go on as metadata beside the usual ones, in lower case. @default - none */
  readonly claimHeaders?: readonly string[];
  readonly log: Logger;
}

/** Answers a request of HTTP by a call of gRPC. Never rejects. */
export type Gateway = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

interface Answer {
  readonly httpStatus: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Translates HTTP and JSON to gRPC by the google.api.http options of the services' descriptors.
 * @throws Error when an option is wrong
 */
export function createGateway(options: GatewayOptions): Gateway {
  const router = routerOf(options.services);
  return async (request, response) => {
    const gone = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) gone.abort();
    });
    const answer = await transcode(router, request, gone.signal, options).catch((error: unknown) =>
      failed(error, request, options),
    );
    if (response.destroyed) return;
    response.writeHead(answer.httpStatus, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(answer.body),
      ...answer.headers,
    });
    response.end(answer.body);
  };
}

async function transcode(
  router: Router<Binding>,
  request: IncomingMessage,
  signal: AbortSignal,
  options: GatewayOptions,
): Promise<Answer> {
  const { binding, path, query } = findBinding(router, request);
  const { method } = binding;
  if (!isUnary(method)) {
    throw statusError(
      status.UNIMPLEMENTED,
      `${method.parent.typeName}/${method.name} streams; call it over gRPC`,
    );
  }
  const bytes = binding.body.kind === 'none' ? undefined : await readBody(request, options.bodyLimit);
  const body = bytes && parseBody(bytes);
  const message = decodeRequest(binding, { path, query, body }, options.registry);
  let header: Metadata | undefined;
  const answer = await callUnary(options.upstreams.channelOf(method.parent), method, message, {
    timeoutMs: options.timeoutMs,
    metadata: metadataOf(request.headers, options.claimHeaders ?? []),
    signal,
    onHeader: (received) => (header = received),
  }).catch((error: unknown) => {
    throw withoutInside(error, method, options);
  });
  return {
    httpStatus: 200,
    headers: header === undefined ? {} : headersOf(header),
    body: encodeResponse(binding, answer, options.registry),
  };
}

function findBinding(router: Router<Binding>, { method = '', url = '/' }: IncomingMessage) {
  const mark = url.indexOf('?');
  const rawPath = mark < 0 ? url : url.slice(0, mark);
  const found = router.find(method, rawPath);
  switch (found.kind) {
    case 'none':
      throw statusError(status.NOT_FOUND, 'path: nothing is served here');
    case 'method': {
      const allow = found.allowed.join(', ');
      const message = `method: ${method} received; allowed here ${allow}`;
      throw new HttpError(405, status.UNIMPLEMENTED, message, { allow });
    }
    case 'route':
      return { binding: found.target, path: found.path, query: mark < 0 ? '' : url.slice(mark + 1) };
  }
}

/** What may come from the transport below instead of a service: its message names addresses inside the cluster. */
const transport: ReadonlySet<status> = new Set([
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.INTERNAL,
  status.UNKNOWN,
  status.CANCELLED,
]);

function withoutInside(error: unknown, method: DescMethodUnary, { log }: GatewayOptions): unknown {
  if (!(error instanceof StatusError) || !transport.has(error.code)) return error;
  if (error.metadata.get('x-served-by').length > 0) return error;
  const name = `${method.parent.typeName}/${method.name}`;
  if (error.code !== status.CANCELLED) log.warn({ method: name, code: status[error.code] }, error.message);
  return statusError(error.code, `${name}: ${status[error.code]}`);
}

function failed(error: unknown, request: IncomingMessage, { log, registry }: GatewayOptions): Answer {
  const known = knownError(error, request);
  if (known === undefined) log.error({ err: error, httpMethod: request.method }, 'request failed');
  const answered = known ?? statusError(status.INTERNAL, 'internal error');
  return {
    httpStatus: httpStatusOf(answered),
    headers: { ...headersOf(answered.metadata), ...(answered instanceof HttpError ? answered.headers : {}) },
    body: statusJson(answered, registry),
  };
}

function knownError(error: unknown, request: IncomingMessage): StatusError | undefined {
  if (error instanceof StatusError) return error;
  // The client left while its body was read.
  return request.destroyed ? statusError(status.CANCELLED, 'the request was cancelled') : undefined;
}
