import { hasOption } from '@bufbuild/protobuf';
import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { http } from '../../../gen/google/api/annotations_pb.js';

/** Folder of the app that translates HTTP with JSON into gRPC, at the edge or beside a service. */
export const httpGatewayApp = 'apps/gateway';

/** Whether the method has a google.api.http rule, so that there is an HTTP path to it. */
export function hasHttpRule(method: DescMethod): boolean {
  return hasOption(method, http);
}

/** Whether any method of the proto service has an HTTP path. */
export function hasHttpRules(service: DescService): boolean {
  return service.methods.some(hasHttpRule);
}

/** The gateway app's UPSTREAMS: where each proto service is, `shop.catalog.v1.CatalogService=host:port`. */
export function upstreams(
  entries: readonly { readonly services: readonly string[]; readonly address: string }[],
): string {
  return entries
    .flatMap(({ services: names, address }) => names.map((name) => `${name}=${address}`))
    .join(',');
}
