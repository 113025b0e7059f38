import { z } from 'zod';
import { nearest } from '../../core/names.ts';
import { isMapping } from './mapping.ts';
import { mapping, text, whole } from './fields.ts';

/**
 * How the kubelet asks a container: by gRPC's health checking (https://grpc.io/docs/guides/health-checking/) on the port `grpc`, by
 * a GET whose status is 200 to 399, by a program in the container that exits with 0, or not at all.
 */
export type Probe =
  | 'none'
  | {
      /** `service`: whose health is asked for. @default - that of the server as a whole */
      readonly grpc: { readonly service?: string };
    }
  | { readonly http: { readonly path: string; readonly port: number } }
  | { readonly exec: readonly string[] };

/** How the kubelet learns that a container has started, may get calls, and still works. */
export interface Probes {
  readonly startup: Probe;
  readonly readiness: Probe;
  readonly liveness: Probe;
}

const kinds = ['grpc', 'http', 'exec'] as const;
const stages = ['startup', 'readiness', 'liveness'] as const;
const usual: Probe = { grpc: {} };

const probeRule = "'none', { grpc: { service? } }, { http: { path, port } } or { exec: [PROGRAM, ...] }";
const pathRule = 'a path that begins with /';
const portRule = 'a whole number from 1 to 65535';
const one = z
  .strictObject(
    {
      grpc: mapping({
        service: text('the name of a proto service', (value) => value !== '').exactOptional(),
      }).exactOptional(),
      http: mapping({
        path: text(pathRule, (value) => /^\/[^\s]*$/.test(value)),
        port: whole(portRule, 1, 65_535),
      }).exactOptional(),
      exec: z
        .array(z.string({ error: 'text' }), { error: 'a list of a program and its arguments' })
        .min(1, { error: 'a list of a program and its arguments' })
        .exactOptional(),
    },
    {
      error: ({ code }) =>
        code === 'unrecognized_keys' ? `a mapping with the keys ${kinds.join(', ')}` : probeRule,
    },
  )
  .refine((given) => kinds.filter((kind) => given[kind] !== undefined).length === 1, { error: probeRule });

/** One probe: a word, or what the mapping says. */
const probe = chosen((value) => (value === 'none' ? z.literal('none') : one));

/** One probe for all three, or each; what is left out asks by gRPC. */
export const probesSchema = chosen((value) => {
  const meant = (key: string) => nearest(key, [...kinds, ...stages]) ?? '';
  const isOne =
    !isMapping(value) || Object.keys(value).some((key) => kinds.some((kind) => kind === meant(key)));
  return isOne
    ? probe
    : mapping({
        startup: probe.exactOptional(),
        readiness: probe.exactOptional(),
        liveness: probe.exactOptional(),
      });
})
  .transform((given): Probes => {
    const each = isMapping(given) && stages.some((stage) => Object.hasOwn(given, stage));
    const found = (
      each ? given : Object.fromEntries(stages.map((stage) => [stage, given]))
    ) as Partial<Probes>;
    return { startup: usual, readiness: usual, liveness: usual, ...found };
  })
  .default({ startup: usual, readiness: usual, liveness: usual });

/** A schema by the form of the value, so that what is wrong is told of the form that was meant: a union tells nothing of either. */
function chosen(schemaOf: (value: unknown) => z.ZodType) {
  return z.unknown().transform((value, context): unknown => {
    const parsed = schemaOf(value).safeParse(value, { reportInput: true });
    if (parsed.success) return parsed.data;
    const { issues } = parsed.error;
    // What an unknown key leaves of a mapping says nothing.
    const isMisspelt = issues.some(({ code }) => code === 'unrecognized_keys');
    const told = issues.filter(({ code, path }) => !(isMisspelt && code === 'custom' && path.length === 0));
    context.issues.push(...(told as typeof context.issues));
    return z.NEVER;
  });
}
