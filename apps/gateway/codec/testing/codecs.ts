import { createRegistry, fromBinary, toJson } from '@bufbuild/protobuf';
import type { JsonValue } from '@bufbuild/protobuf';
import { ConformanceService } from '../../../../gen/conformance/v1/conformance_pb.js';
import { bindingsOf, routerOf } from '../../binding/bindings.ts';
import { codecOf } from '../codec.ts';
import type { BindingCodec } from '../codec.ts';

const router = routerOf(bindingsOf([ConformanceService]));
const registry = createRegistry(ConformanceService.file);

/** The codec of a binding of conformance.v1.ConformanceService without variables in its path. */
export function codecAt(httpMethod: string, path: string): BindingCodec {
  const found = router.find(httpMethod, path);
  if (found.kind !== 'route') throw new Error(`${httpMethod} ${path}: ${found.kind}`);
  return codecOf(found.target, registry);
}

/**
 * The gRPC request to conformance.v1.ConformanceService that comes of an HTTP request, with the method, in JSON without
 * defaults; without a route why there is none.
 */
export function decode(httpMethod: string, url: string, body = ''): JsonValue {
  const [path = '', query = ''] = url.split('?');
  const found = router.find(httpMethod, path);
  if (found.kind !== 'route') return found.kind;
  const { method } = found.target;
  const bytes = codecOf(found.target, registry).decode({ path: found.path, query, body: Buffer.from(body) });
  return [method.name, toJson(method.input, fromBinary(method.input, bytes), { registry })];
}
