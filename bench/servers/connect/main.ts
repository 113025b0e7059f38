// The same service on connect-node over node:http2.
import { createServer } from 'node:http2';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { product } from '../product.ts';

const server = createServer(
  connectNodeAdapter({
    routes: (router) => {
      router.service(CatalogService, { getProduct: ({ id }) => product(id) });
    },
  }),
);
server.listen(Number(process.env['PORT']), '127.0.0.1');
