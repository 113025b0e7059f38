import { z } from 'zod';

/** A wrong environment: one problem per line. Values are left out, because they may be secrets. */
export class EnvError extends Error {
  constructor(problems: readonly string[]) {
    super(problems.map((problem) => `environment: ${problem}`).join('\n'));
    this.name = 'EnvError';
  }
}

/**
 * Reads environment variables with a zod shape whose error texts say what is allowed.
 * @throws EnvError naming every missing or wrong variable.
 */
export function parseEnv<S extends z.ZodRawShape>(
  shape: S,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): z.output<z.ZodObject<S>> {
  const parsed = z.object(shape).safeParse(environment, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw new EnvError(
    parsed.error.issues.map(
      (issue) =>
        `${issue.path.join('.')}: ${issue.input === undefined ? 'missing' : 'wrong value'}; allowed ${issue.message}`,
    ),
  );
}

/** A whole number within bounds, both included. */
export function integer(least: number, most: number) {
  const error = `a whole number from ${least} to ${most}`;
  return z
    .string({ error })
    .regex(/^\d{1,10}$/, { error })
    .transform(Number)
    .refine((value) => value >= least && value <= most, { error });
}

/** A text of at least one character. */
export function text(allowed: string) {
  return z.string({ error: allowed }).min(1, { error: allowed });
}

/** A comma-separated list whose entries all match a pattern. */
export function list(entry: RegExp, allowed: string) {
  return z
    .string({ error: allowed })
    .transform((value) => value.split(',').map((part) => part.trim()))
    .refine((entries) => entries.every((part) => entry.test(part)), { error: allowed });
}

const hostAndPort = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]+\]):([1-9]\d{0,4})$/i;

/** Whether the value is `host:port`; an IPv6 host in brackets. */
export function isAddress(value: string): boolean {
  return Number(hostAndPort.exec(value)?.[1] ?? 65536) <= 65535;
}

/** Where a gRPC server is: `host:port`. */
export function address() {
  const error = 'host:port, such as catalog.shop.svc.cluster.local:50051';
  return z.string({ error }).refine(isAddress, { error });
}

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** Variables that every program reads; the charts set the first four. */
export interface BaseEnv {
  readonly CLUSTER_NAME: string;
  readonly POD_NAME: string;
  readonly POD_NAMESPACE?: string | undefined;
  /** Version of the program, as shown in its spans. */
  readonly SERVICE_VERSION?: string | undefined;
  /** @default info */
  readonly LOG_LEVEL: (typeof levels)[number];
  /**
   * How long calls are still accepted after SIGTERM, because callers learn of the stop some seconds late. Milliseconds.
   * Together with the limit below it stays within the 30 s that a pod has to end. @default 10000
   */
  readonly DRAIN_DELAY_MS: number;
  /** How much longer calls in flight may take before they are cut off. Milliseconds. @default 15000 */
  readonly DRAIN_LIMIT_MS: number;
}

/** How each of {@link BaseEnv} is read. */
export const baseEnv = {
  CLUSTER_NAME: text('the name of the cluster'),
  POD_NAME: text('the name of the pod'),
  POD_NAMESPACE: text('the namespace of the pod').optional(),
  SERVICE_VERSION: text('the version of the program').optional(),
  LOG_LEVEL: z.enum(levels, { error: levels.join(', ') }).default('info'),
  DRAIN_DELAY_MS: integer(0, 600_000).default(10_000),
  DRAIN_LIMIT_MS: integer(0, 600_000).default(15_000),
} satisfies { readonly [Name in keyof BaseEnv]-?: z.ZodType<BaseEnv[Name]> };
