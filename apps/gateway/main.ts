import { gatewayTimes, type GatewayTime } from '../config/gateway-times.ts';
import { integer, list, text } from '../runtime/env.ts';
import { serveMetrics } from '../runtime/telemetry/metrics.ts';
import { runProgram } from '../runtime/run.ts';
import { createGateway } from './gateway.ts';
import type { Timeouts } from './exchange/deadline.ts';
import { createGatewayMetrics } from './exchange/metrics.ts';
import { createObserver } from './exchange/observe.ts';
import { readServed } from './served.ts';
import { startHttpServer } from './server.ts';
import { sizesOf } from './sizes.ts';
import { openUpstreams } from './transport/upstreams.ts';

const name = /^[a-z0-9_.-]+$/;

const time = ({ least, most, usual }: GatewayTime) => integer(least, most).default(usual);

const environment = {
  HTTP_PORT: integer(1, 65_535),
  METRICS_PORT: integer(1, 65_535).default(9_464),
  DESCRIPTORS: text('the path of a file with a google.protobuf.FileDescriptorSet'),
  UPSTREAMS: text('a list of <fully qualified service>=<host:port>, separated by commas'),
  REQUEST_TIMEOUT_MS: time(gatewayTimes.REQUEST_TIMEOUT_MS),
  REQUEST_TIMEOUT_MAX_MS: time(gatewayTimes.REQUEST_TIMEOUT_MAX_MS),
  BODY_LIMIT_BYTES: integer(1, 64 * 2 ** 20).optional(),
  BODY_TIMEOUT_MS: integer(1, 600_000).default(30_000),
  HEADERS_TIMEOUT_MS: integer(1, 600_000).default(10_000),
  ANSWER_LIMIT_BYTES: integer(1, 64 * 2 ** 20).optional(),
  CONNECT_TIMEOUT_MS: integer(1, 600_000).default(5_000),
  KEEPALIVE_MS: integer(1_000, 86_400_000).default(300_000),
  KEEPALIVE_TIMEOUT_MS: integer(1, 600_000).default(10_000),
  STREAM_IDLE_MS: time(gatewayTimes.STREAM_IDLE_MS),
  MAX_CONNECTIONS: integer(1, 1_000_000).default(4_000),
  MAX_REQUESTS: integer(1, 1_000_000).default(1_000),
  MAX_STREAMS: integer(1, 1_000_000).optional(),
  MAX_BYTES: integer(2 ** 20, 2 ** 33).optional(),
  TRUSTED_PROXIES: integer(0, 10).default(0),
  SUBJECT_HEADER: text('a header x-... in lower case')
    .regex(/^x-[a-z0-9._-]+$/, { error: 'a header x-... in lower case' })
    .optional(),
  CLAIM_HEADERS: list(/^x-[a-z0-9._-]+$/, 'a list of headers x-..., separated by commas').default([]),
  REFUSED_METADATA: list(name, 'a list of metadata names in lower case, separated by commas').default([]),
  WEBSOCKET_ORIGINS: list(/^https?:\/\/[^/]+$/, 'a list of origins, separated by commas').default([]),
  OPENAPI_METHODS: list(
    /^[\w.]+\/\w+$/,
    'a list of <fully qualified service>/<method>, separated by commas',
  ).default([]),
  ANSWER_METADATA: list(name, 'a list of metadata names in lower case, separated by commas').default([]),
};

/** Who asks for no time would get more than who asks for the most. */
function timeoutProblems({ defaultMs, maxMs }: Timeouts): string[] {
  if (defaultMs <= maxMs) return [];
  return [
    `REQUEST_TIMEOUT_MS: more than REQUEST_TIMEOUT_MAX_MS; received ${defaultMs}; allowed at most ${maxMs}`,
  ];
}

await runProgram('gateway', environment, async (env, log) => {
  const timeouts = { defaultMs: env.REQUEST_TIMEOUT_MS, maxMs: env.REQUEST_TIMEOUT_MAX_MS };
  const { maxBytes, bodyBytes, answerBytes, maxStreams, problems } = sizesOf(env);
  const { addresses, ...served } = readServed(env, [...timeoutProblems(timeouts), ...problems]);
  const upstreams = openUpstreams(addresses, {
    messageLimit: answerBytes,
    connectTimeoutMs: env.CONNECT_TIMEOUT_MS,
    keepaliveMs: env.KEEPALIVE_MS,
    keepaliveTimeoutMs: env.KEEPALIVE_TIMEOUT_MS,
  });
  const metrics = createGatewayMetrics();
  const gateway = createGateway({
    ...served,
    upstreams,
    timeouts,
    body: { bytes: bodyBytes, timeoutMs: env.BODY_TIMEOUT_MS },
    streamIdleMs: env.STREAM_IDLE_MS,
    maxRequests: env.MAX_REQUESTS,
    maxStreams,
    maxBytes,
    clients: { subject: env.SUBJECT_HEADER, proxies: env.TRUSTED_PROXIES },
    headers: { claims: env.CLAIM_HEADERS, refused: env.REFUSED_METADATA, answers: env.ANSWER_METADATA },
    webSocketOrigins: env.WEBSOCKET_ORIGINS,
    log,
    observer: createObserver(log, metrics),
  });
  metrics.watch(gateway.open);
  const metricsServer = await serveMetrics(metrics, env.METRICS_PORT);
  // A gateway that has lost a service still serves the others: this is asked once, to save the first request the way.
  for (const problem of await upstreams.connect()) log.warn(problem);
  const server = await startHttpServer({
    gateway,
    port: env.HTTP_PORT,
    log,
    maxConnections: env.MAX_CONNECTIONS,
    headersTimeoutMs: env.HEADERS_TIMEOUT_MS,
    drainDelayMs: env.DRAIN_DELAY_MS,
    drainLimitMs: env.DRAIN_LIMIT_MS,
  });
  return {
    drain: async () => {
      await server.drain();
      upstreams.close();
      metricsServer.close();
    },
  };
});
