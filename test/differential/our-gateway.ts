// The gateway before the services of the comparison. Prints `listening HOST:PORT`; its argument is the backend's address.
import { createRegistry } from '@bufbuild/protobuf';
import { bindingsOf } from '../../apps/gateway/binding/bindings.ts';
import { createGateway } from '../../apps/gateway/gateway.ts';
import { startHttpServer } from '../../apps/gateway/server.ts';
import { openUpstreams } from '../../apps/gateway/transport/upstreams.ts';
import { createLog } from '../../apps/runtime/log.ts';
import { ConformanceService } from '../../gen/conformance/v1/conformance_pb.js';
import { file_google_rpc_error_details } from '../../gen/google/rpc/error_details_pb.js';
import { CatalogService } from '../../gen/test/catalog/v1/catalog_pb.js';
import { OrdersService } from '../../gen/test/orders/v1/orders_pb.js';

const [backend = ''] = process.argv.slice(2);
const services = [ConformanceService, CatalogService, OrdersService];
const log = createLog({ app: 'gateway', cluster: 'test', pod: 'test', level: 'silent' });
const gateway = createGateway({
  bindings: bindingsOf(services),
  upstreams: openUpstreams(new Map(services.map((service) => [service, backend]))),
  registry: createRegistry(...services.map(({ file }) => file), file_google_rpc_error_details),
  timeouts: { defaultMs: 5_000, maxMs: 60_000 },
  body: { bytes: 4 * 2 ** 20, timeoutMs: 30_000 },
  streamIdleMs: 60_000,
  maxRequests: 1_000,
  maxStreams: 500,
  headers: { claims: [], answers: ['x-a', 'x-a-bin', 'x-b'] },
  webSocketOrigins: [],
  log,
});
const { port } = await startHttpServer({
  gateway,
  host: '127.0.0.1',
  port: 0,
  log,
  maxConnections: 1_000,
  headersTimeoutMs: 10_000,
  drainDelayMs: 0,
  drainLimitMs: 1_000,
});
process.stdout.write(`listening 127.0.0.1:${port}\n`);
