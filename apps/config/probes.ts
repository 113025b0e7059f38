import { z } from 'zod';
import { nearest } from '../../core/names.ts';
import { chosen } from './chosen.ts';
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

/** One probe for all three, or each. */
const given = chosen((value) => {
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
});

/**
 * One probe for all three, or each.
 * @param usual - what is left out
 */
const probesWith = (usual: Probe) =>
  given
    .transform((found): Probes => {
      const each = isMapping(found) && stages.some((stage) => Object.hasOwn(found, stage));
      const said = (
        each ? found : Object.fromEntries(stages.map((stage) => [stage, found]))
      ) as Partial<Probes>;
      return { startup: usual, readiness: usual, liveness: usual, ...said };
    })
    .default({ startup: usual, readiness: usual, liveness: usual });

/** Of the container of a gRPC service, which is asked by gRPC where nothing is said. */
export const probesSchema = probesWith({ grpc: {} });

/** Of a container beside it, which is asked nothing. */
export const extraProbesSchema = probesWith('none');
