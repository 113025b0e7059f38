// The same service on plain @grpc/grpc-js.
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  GetProductRequestSchema,
  GetProductResponseSchema,
} from '../../../gen/test/catalog/v1/catalog_pb.js';
import type { GetProductRequest, GetProductResponse } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { product } from '../product.ts';

const server = new Server();
server.register<GetProductRequest, GetProductResponse>(
  '/test.catalog.v1.CatalogService/GetProduct',
  (
    call: ServerUnaryCall<GetProductRequest, GetProductResponse>,
    respond: sendUnaryData<GetProductResponse>,
  ) => {
    respond(null, create(GetProductResponseSchema, product(call.request.id)));
  },
  (message) => Buffer.from(toBinary(GetProductResponseSchema, message)),
  (bytes) => fromBinary(GetProductRequestSchema, bytes),
  'unary',
);
server.bindAsync(`127.0.0.1:${process.env['PORT'] ?? ''}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
});
