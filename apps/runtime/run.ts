import { setLogger } from '@grpc/grpc-js';
import type { z } from 'zod';
import { EnvError, baseEnv, integer, parseEnv } from './env.ts';
import type { BaseEnv } from './env.ts';
import type { Implementation } from './handlers.ts';
import type { Interceptor } from './server/interceptors.ts';
import { createLog } from './log.ts';
import type { Logger } from './log.ts';
import { startServer } from './server.ts';
import { defaultLimits, mostRequestBytes } from './server/limits.ts';
import type { ServerLimits } from './server/limits.ts';
import { startTracing, tracingEnv } from './telemetry/tracing.ts';

type Env<S extends z.ZodRawShape> = BaseEnv & z.output<z.ZodObject<S>>;

/** Something that was started and can be stopped without failing a call; the result is ignored. */
export interface Drainable {
  drain(): Promise<unknown>;
}

/**
 * The main function of a program: reads its environment, starts it, drains it at SIGTERM or SIGINT and exits with 0. An
 * error that nobody caught is logged, and the program goes on. Exits with 2 when the environment is wrong and with 1 when the program cannot start; the log says why.
 * @param app - name in the log
 * @param shape - the variables that it reads in addition to {@link BaseEnv}
 * @param start - starts the program
 */
export async function runProgram<S extends z.ZodRawShape>(
  app: string,
  shape: S,
  start: (env: Env<S>, log: Logger) => Promise<Drainable>,
): Promise<void> {
  const { CLUSTER_NAME = '', POD_NAME = '' } = process.env;
  let log = createLog({ app, cluster: CLUSTER_NAME, pod: POD_NAME, level: 'info' });
  try {
    const env = parseEnv({ ...baseEnv, ...shape }) as unknown as Env<S>;
    log = createLog({ app, cluster: CLUSTER_NAME, pod: POD_NAME, level: env.LOG_LEVEL });
    redirectGrpcLog(log);
    const running = await start(env, log);
    outlive(log);
    await terminated();
    await running.drain();
    process.exit(0);
  } catch (error) {
    if (error instanceof EnvError) {
      for (const problem of error.message.split('\n')) log.fatal(problem);
      process.exit(2);
    }
    log.fatal({ err: error }, error instanceof Error ? error.message : 'cannot start');
    process.exit(1);
  }
}

const serviceEnv = {
  GRPC_PORT: integer(1, 65_535),
  /** See ServerOptions.maxConnectionAgeMs. */
  GRPC_MAX_CONNECTION_AGE_MS: integer(1_000, 86_400_000).optional(),
  /** See ServerLimits; the gateway's have the same names. */
  BODY_LIMIT_BYTES: integer(1, 64 * 2 ** 20).optional(),
  ANSWER_LIMIT_BYTES: integer(1, 64 * 2 ** 20).optional(),
  MAX_REQUESTS: integer(1, 1_000_000).optional(),
  MAX_BYTES: integer(2 ** 20, 2 ** 33).optional(),
  /** Loopback port for `/metrics`. @default - no metrics */
  METRICS_PORT: integer(1, 65_535).optional(),
  ...tracingEnv,
};

/** {@link runProgram} for a gRPC server on `GRPC_PORT`. */
export async function runService<S extends z.ZodRawShape>(
  app: string,
  shape: S,
  implementations: (
    env: Env<S> & Pick<z.output<z.ZodObject<typeof serviceEnv>>, 'ANSWER_LIMIT_BYTES'>,
    log: Logger,
  ) => readonly Implementation[],
): Promise<void> {
  await runProgram(app, { ...serviceEnv, ...shape }, async (parsed, log) => {
    const env = parsed as unknown as Env<S> & z.output<z.ZodObject<typeof serviceEnv>>;
    const { CLUSTER_NAME: cluster, POD_NAME: pod, POD_NAMESPACE: namespace, SERVICE_VERSION: version } = env;
    const tracing = await startTracing({ name: app, version, cluster, pod, namespace }, log);
    const metrics = env.METRICS_PORT === undefined ? undefined : await startMetrics(app, env.METRICS_PORT);
    const server = await startServer({
      implementations: implementations(env, log),
      port: env.GRPC_PORT,
      servedBy: `${env.CLUSTER_NAME}/${env.POD_NAME}`,
      log,
      interceptors: [tracing, metrics].flatMap((each) => (each === undefined ? [] : [each.interceptor])),
      limits: limitsOf(env),
      drainDelayMs: env.DRAIN_DELAY_MS,
      drainLimitMs: env.DRAIN_LIMIT_MS,
      ...(env.GRPC_MAX_CONNECTION_AGE_MS === undefined
        ? {}
        : { maxConnectionAgeMs: env.GRPC_MAX_CONNECTION_AGE_MS }),
    });
    return {
      drain: async () => {
        await server.drain();
        metrics?.close();
        await tracing?.stop();
      },
    };
  });
}

/** @throws EnvError when a message of a request, with its prefix, may be longer than what one client may have held */
function limitsOf(env: z.output<z.ZodObject<typeof serviceEnv>>): ServerLimits {
  const defaults = defaultLimits(env.MAX_BYTES);
  const { heldBytes } = defaults;
  const [bytes, most] = [env.BODY_LIMIT_BYTES, mostRequestBytes(heldBytes)];
  if (bytes !== undefined && bytes > most)
    throw new EnvError([
      `BODY_LIMIT_BYTES: more than one client may hold, half of MAX_BYTES; received ${bytes}; allowed at most ${most}`,
    ]);
  return {
    requestBytes: env.BODY_LIMIT_BYTES ?? defaults.requestBytes,
    answerBytes: env.ANSWER_LIMIT_BYTES ?? defaults.answerBytes,
    calls: env.MAX_REQUESTS ?? defaults.calls,
    heldBytes,
  };
}

/** Loads the metrics modules only for programs with a metrics port. */
async function startMetrics(app: string, port: number): Promise<{ interceptor: Interceptor; close(): void }> {
  const { createMetrics, serveMetrics } = await import('./telemetry/metrics.ts');
  const { measureCalls } = await import('./telemetry/call-metrics.ts');
  const metrics = createMetrics(app);
  const { close } = await serveMetrics(metrics, port);
  return { interceptor: measureCalls(metrics.meter), close };
}

/**
 * Lets a running program go on after an error that nobody caught: a handler's timer, a listener of a signal, a promise that
 * nobody waits for. It belongs to one call, whose deadline ends it; to end the process would end every call in it, again and
 * again for whoever can cause it. One that comes while the program starts ends it.
 */
function outlive(log: Logger): void {
  process.on('uncaughtException', (error, origin) => {
    log.error({ err: error, origin }, 'an error that nobody caught; the program goes on');
  });
}

/** Redirects grpc-js' messages to the log; by default it writes plain lines to standard error. */
function redirectGrpcLog(log: Logger): void {
  setLogger({
    error: (message: unknown) => {
      log.warn({ from: 'grpc-js' }, String(message));
    },
    info: (message: unknown) => {
      log.info({ from: 'grpc-js' }, String(message));
    },
    debug: (message: unknown) => {
      log.debug({ from: 'grpc-js' }, String(message));
    },
  });
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
function terminated(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        resolve();
      });
    }
  });
}
