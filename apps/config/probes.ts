import { z } from 'zod';
import { nearest } from '../../core/names.ts';
import { chosen } from './chosen.ts';
import { isMapping } from './mapping.ts';
import { mapping, text, whole } from './fields.ts';

/**
 * How the kubelet asks a container: by gRPC's health checking (https://grpc.io/docs/guides/health-checking/) on the port `grpc`, or in
 * one of the ways of every server.
 */
export type Probe =
  | TcpProbe
  | {
      /** `service`: whose health is asked for. @default - that of the server as a whole */
      readonly grpc: { readonly service?: string };
    };

/**
 * How the kubelet asks a server of any protocol: by a TCP connection, by a GET whose status is 200 to 399, by a program in the container
 * that exits with 0, or not at all.
 */
export type TcpProbe =
  | 'none'
  | {
      /** `port`: number of a port of the container. @default - that of the gRPC server, or the first that is declared */
      readonly tcp: { readonly port?: number };
    }
  | { readonly http: { readonly path: string; readonly port: number } }
  | { readonly exec: readonly string[] };

/** How the kubelet learns that a container has started, may get calls, and still works. */
export interface Probes<P extends Probe = Probe> {
  readonly startup: P;
  readonly readiness: P;
  readonly liveness: P;
}

const ofTcp = ['tcp', 'http', 'exec'] as const;
const ofGrpc = ['grpc', ...ofTcp] as const;
type Kind = (typeof ofGrpc)[number];
const stages = ['startup', 'readiness', 'liveness'] as const;

const forms: Readonly<Record<Kind, string>> = {
  grpc: '{ grpc: { service? } }',
  tcp: '{ tcp: { port? } }',
  http: '{ http: { path, port } }',
  exec: '{ exec: [PROGRAM, ...] }',
};
const commandRule = 'a list of a program and its arguments';
const pathRule = 'a path that begins with /';
const portRule = 'a whole number from 1 to 65535';
const portNumber = whole(portRule, 1, 65_535);
const fields = {
  grpc: mapping({
    service: text('the name of a proto service', (value) => value !== '').exactOptional(),
  }).exactOptional(),
  tcp: mapping({ port: portNumber.exactOptional() }).exactOptional(),
  http: mapping({
    path: text(pathRule, (value) => /^\/[^\s]*$/.test(value)),
    port: portNumber,
  }).exactOptional(),
  exec: z
    .array(z.string({ error: 'text' }), { error: commandRule })
    .min(1, { error: commandRule })
    .exactOptional(),
};

/** One probe: a word, or what the mapping says, which is of one of some kinds. */
function probeOf(kinds: readonly Kind[]) {
  const [last = '', ...before] = kinds.map((kind) => forms[kind]).reverse();
  const rule = `'none', ${before.reverse().join(', ')} or ${last}`;
  const shape = Object.fromEntries(kinds.map((kind) => [kind, fields[kind]])) as Pick<typeof fields, 'http'>;
  const one = z
    .strictObject(shape, {
      error: ({ code }) =>
        code === 'unrecognized_keys' ? `a mapping with the keys ${kinds.join(', ')}` : rule,
    })
    .refine((given) => kinds.filter((kind) => Object.hasOwn(given, kind)).length === 1, { error: rule });
  return chosen((value) => (value === 'none' ? z.literal('none') : one));
}

/** One probe for all three, or each; what is left out asks in the usual way. */
function probesOf<P extends Probe>(kinds: readonly Kind[], usual: P) {
  const probe = probeOf(kinds);
  const all = { startup: usual, readiness: usual, liveness: usual };
  return chosen((value) => {
    // A kind that others have is meant as one, too.
    const meant = (key: string) => nearest(key, [...ofGrpc, ...stages]) ?? '';
    const isOne =
      !isMapping(value) || Object.keys(value).some((key) => ofGrpc.some((kind) => kind === meant(key)));
    return isOne
      ? probe
      : mapping({
          startup: probe.exactOptional(),
          readiness: probe.exactOptional(),
          liveness: probe.exactOptional(),
        });
  })
    .transform((given): Probes<P> => {
      const each = isMapping(given) && stages.some((stage) => Object.hasOwn(given, stage));
      const found = (each ? given : Object.fromEntries(stages.map((stage) => [stage, given]))) as Partial<
        Probes<P>
      >;
      return { ...all, ...found };
    })
    .default(all);
}

/** Probes of a gRPC server, which asks by gRPC where nothing is said. */
export const probesSchema = probesOf<Probe>(ofGrpc, { grpc: {} });

/** Probes of any other server, which asks by a connection where nothing is said. */
export const tcpProbesSchema = probesOf<TcpProbe>(ofTcp, { tcp: {} });

/** Probes of a container beside that of a service, which is asked nothing where nothing is said. */
export const extraProbesSchema = probesOf<Probe>(ofGrpc, 'none');
