import { createRegistry } from '@bufbuild/protobuf';
import type { DescService, Registry } from '@bufbuild/protobuf';
import { comments as sourceComments } from '../../gen/comments.js';
import { ConformanceService } from '../../gen/conformance/v1/conformance_pb.js';
import { CatalogService } from '../../gen/test/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../gen/test/orders/v1/orders_pb.js';
import { descriptorSet } from '../config/descriptors/descriptor-set.ts';
import { parseDescriptors } from '../gateway/descriptors/read.ts';
import type { CommentTexts } from '../gateway/openapi/comments.ts';

/** The services of the tests, by fully qualified name. */
export const services: ReadonlyMap<string, DescService> = new Map(
  [CatalogService, InventoryService, OrdersService].map((service) => [service.typeName, service]),
);

/** Their types. */
export const registry: Registry = createRegistry(...[...services.values()].map((service) => service.file));

/** The comments of their protos and of conformance.v1, as a gateway has them. */
export const comments: CommentTexts = commentsOf([...services.values(), ConformanceService]);

function commentsOf(described: readonly DescService[]): CommentTexts {
  const read = parseDescriptors(descriptorSet(described, sourceComments).bytes);
  if ('problems' in read) throw new Error(read.problems.join('\n'));
  return read.comments;
}
