import { z } from 'zod';
import { dnsLabelRule, isDnsLabel } from '../../core/names.ts';
import { metricsPorts } from './ports.ts';
import { leastAmounts, parseQuantity } from './quantity.ts';

/** Each field's error text says what the field allows; the loader adds the rest of the message. */
const text = (allowed: string, accepts: (value: string) => boolean) =>
  z.string({ error: allowed }).refine(accepts, { error: allowed });

const line = (allowed: string, longest: number) =>
  text(allowed, (value) => value.length <= longest && /^\S(?:[^\p{Cc}]*\S)?$/u.test(value));

// Containers run as non-root, so no port below 1024; the proxy beside them takes 15000 to 15099.
const portRule =
  'a port from 1024 to 65535, except 15000 to 15099 (used by Istio), ' +
  `${metricsPorts.app} and ${metricsPorts.httpGateway} (used for metrics)`;
const isMetricsPort = (value: number) => Object.values<number>(metricsPorts).includes(value);
const port = z
  .int({ error: portRule })
  .refine(
    (value) =>
      value >= 1024 && value <= 65535 && !(value >= 15000 && value <= 15099) && !isMetricsPort(value),
    { error: portRule },
  );

const quantity = ({ allowed, least }: { readonly allowed: string; readonly least: number }) =>
  text(allowed, (value) => (parseQuantity(value) ?? 0) >= least);
const cpu = quantity(leastAmounts.cpu);
const memory = quantity(leastAmounts.memory);

const semanticVersion =
  /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(-[0-9a-zA-Z][0-9a-zA-Z.-]{0,39})?$/;

const mapping = <S extends z.ZodRawShape>(shape: S) =>
  z.strictObject(shape, { error: `a mapping with the keys ${Object.keys(shape).join(', ')}` });

/** With the seconds around it (shutdown.ts) the drain just fits into Kubernetes' own default grace. */
export const defaultShutdown = { drainSeconds: 15, graceSeconds: 30 };

const nodeOptionsRule = 'a list of options';
const nodeOptionRule =
  'an option that Node accepts in NODE_OPTIONS, such as --max-semi-space-size=4, which neither opens a debugger, nor loads code, nor weakens TLS or HTTP';
const unsafeOptions =
  /^--(?:inspect|debug|require|import|loader|experimental-loader|env-file|insecure-http-parser|tls-|openssl-|use-openssl-ca|security-revert|allow-|heapsnapshot-signal|report-signal)/;
const nodeOption = text(
  nodeOptionRule,
  (value) =>
    /^--[\w-]+(?:=\S+)?$/.test(value) &&
    process.allowedNodeEnvironmentFlags.has(value) &&
    !unsafeOptions.test(value),
);

const replicasRule = 'a whole number from 0 to 1000';
const mostReplicasRule = 'a whole number from 2 to 1000';
const percentRule = 'a whole number from 1 to 1000';
const drainRule = 'a whole number from 1 to 600';
const graceRule = 'a whole number from 1 to 3600';
const envRule =
  'text (put numbers and booleans in quotes), { secret: NAME, key: KEY }, { configMap: NAME, key: KEY } or { value: TEXT, notSecret: REASON }';
const notSecretRule = 'why it is not a secret: one line of 1 to 300 characters';
const whole = (allowed: string, least: number, most: number) =>
  z.int({ error: allowed }).min(least, { error: allowed }).max(most, { error: allowed });
const flagRule = 'true or false';
const servicesRule = 'a list of fully qualified proto services';

/** The schema of a config.yml; rules.ts checks how its fields fit each other. */
export const appConfigSchema = mapping({
  name: text(dnsLabelRule, isDnsLabel),
  services: z
    .array(z.string({ error: 'the fully qualified name of a proto service' }), { error: servicesRule })
    .default([]),
  ports: mapping({ grpc: port.optional(), http: port.optional() }),
  image: mapping({
    version: text('a semantic version as text, such as "1.4.0"', (value) => semanticVersion.test(value)),
    title: line('one line of 1 to 80 characters', 80),
    description: line('one line of 1 to 300 characters', 300),
    nodeOptions: z.array(nodeOption, { error: nodeOptionsRule }).default([]),
  }),
  resources: mapping({
    requests: mapping({ cpu, memory }),
    limits: mapping({ cpu: cpu.optional(), memory }),
  }),
  replicas: whole(replicasRule, 0, 1000),
  autoscaling: mapping({
    maxReplicas: whole(mostReplicasRule, 2, 1000),
    cpuPercent: whole(percentRule, 1, 1000).default(70),
  }).optional(),
  shutdown: mapping({
    drainSeconds: whole(drainRule, 1, 600).default(defaultShutdown.drainSeconds),
    graceSeconds: whole(graceRule, 1, 3600).default(defaultShutdown.graceSeconds),
  }).default(defaultShutdown),
  env: z
    .record(
      z.string(),
      z.union(
        [
          z.string(),
          z.strictObject({ secret: z.string(), key: z.string() }),
          z.strictObject({ configMap: z.string(), key: z.string() }),
          z.strictObject({ value: z.string(), notSecret: line(notSecretRule, 300) }),
        ],
        { error: envRule },
      ),
      { error: 'a mapping from variable names to text, or to a key of a Secret or ConfigMap' },
    )
    .default({}),
  httpGateway: z.boolean({ error: flagRule }).default(false),
});
