import { registry, services } from '../config/services.ts';
import { integer, list, text } from '../runtime/env.ts';
import { runProgram } from '../runtime/run.ts';
import { createGateway } from './gateway.ts';
import { startHttpServer } from './server.ts';
import { openUpstreams, parseUpstreams } from './upstreams.ts';

const environment = {
  HTTP_PORT: integer(1, 65_535),
  UPSTREAMS: text('a list of <fully qualified service>=<host:port>, separated by commas'),
  REQUEST_TIMEOUT_MS: integer(1, 600_000).default(5_000),
  CLAIM_HEADERS: list(/^x-[a-z0-9._-]+$/, 'a list of headers x-..., separated by commas').default([]),
  BODY_LIMIT_BYTES: integer(1, 64 * 2 ** 20).default(4 * 2 ** 20),
};

await runProgram('gateway', environment, async (env, log) => {
  const addresses = parseUpstreams(env.UPSTREAMS, services);
  const upstreams = openUpstreams(addresses);
  const gateway = createGateway({
    services: addresses.keys(),
    upstreams,
    registry,
    timeoutMs: env.REQUEST_TIMEOUT_MS,
    bodyLimit: env.BODY_LIMIT_BYTES,
    claimHeaders: env.CLAIM_HEADERS,
    log,
  });
  const server = await startHttpServer({
    gateway,
    port: env.HTTP_PORT,
    log,
    drainDelayMs: env.DRAIN_DELAY_MS,
    drainLimitMs: env.DRAIN_LIMIT_MS,
  });
  return {
    drain: async () => {
      await server.drain();
      upstreams.close();
    },
  };
});
