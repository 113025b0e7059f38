import { pathOf } from '../access/authorization.ts';
import type { Method } from '../scope/method.ts';

/** The header that tells a native gRPC call from a request of the google.api.http paths, with which it shares a host. */
export const contentType = 'content-type';

/**
 * What of an AuthorizationPolicy's condition on {@link contentType} stands for gRPC over HTTP/2 ("Requests", Content-Type), and
 * for what Envoy takes for it: not gRPC-Web, and no parameters. {@link grpcContent} stands for the same: what is allowed as a call of
 * one kind must not be routed as one of the other.
 */
export const grpcContents = ['application/grpc', 'application/grpc+*'] as const;

/** The same as a regular expression (RE2, of the whole value). */
export const grpcContent = String.raw`application/grpc(\+.*)?`;

/** The condition that a request is a native gRPC call, or that it is none. */
export function isGrpc(
  is: boolean,
): { key: string; values: string[] } | { key: string; notValues: string[] } {
  const key = `request.headers[${contentType}]`;
  return is ? { key, values: [...grpcContents] } : { key, notValues: [...grpcContents] };
}

/** A native call of a method, as Envoy's header matchers see it. */
export function grpcCall(method: Method): object[] {
  return [
    { name: ':method', string_match: { exact: 'POST' } },
    // A query is no part of a method's name, and a server would not know it: it must be no way past a limit.
    { name: ':path', string_match: { safe_regex: { regex: `${escape(pathOf(method))}(\\?.*)?` } } },
    contentIsGrpc,
  ];
}

const contentIsGrpc = { name: contentType, string_match: { safe_regex: { regex: grpcContent } } };

/** What header matchers of Envoy ask of a request that is no native call. To an inverted one, a header that is not there does not match. */
export const contentIsNotGrpc = { ...contentIsGrpc, invert_match: true, treat_missing_header_as_empty: true };

function escape(path: string): string {
  return path.replaceAll('.', String.raw`\.`);
}
