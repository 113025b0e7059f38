import { z } from 'zod';
import { metricsPorts } from './ports.ts';
import { leastAmounts, parseQuantity } from './quantity.ts';

/*
 * Fields that several schemas have. Each field's error text says what the field allows; the loader adds the rest of the message.
 */

/** Text of a form. */
export const text = (allowed: string, accepts: (value: string) => boolean) =>
  z.string({ error: allowed }).refine(accepts, { error: allowed });

/** One line of text. */
export const line = (allowed: string, longest: number) =>
  text(allowed, (value) => value.length <= longest && /^\S(?:[^\p{Cc}]*\S)?$/u.test(value));

/** A whole number in a range. */
export const whole = (allowed: string, least: number, most: number) =>
  z.int({ error: allowed }).min(least, { error: allowed }).max(most, { error: allowed });

/** A mapping with these keys and no other. */
export const mapping = <S extends z.ZodRawShape>(shape: S) =>
  z.strictObject(shape, { error: `a mapping with the keys ${Object.keys(shape).join(', ')}` });

/**
 * A port of a container. Containers run as non-root, so none below 1024; the proxy beside them takes 15000 to 15099.
 * @param taken - ports of the pod that are used for metrics
 */
export const portBeside = (...taken: readonly number[]) => {
  const rule =
    'a port from 1024 to 65535, except 15000 to 15099 (used by Istio)' +
    (taken.length === 0 ? '' : `, ${taken.join(' and ')} (used for metrics)`);
  const isFree = (value: number) =>
    value >= 1024 && value <= 65535 && !(value >= 15000 && value <= 15099) && !taken.includes(value);
  return z.int({ error: rule }).refine(isFree, { error: rule });
};
const port = portBeside(metricsPorts.app, metricsPorts.httpGateway);

const quantity = ({ allowed, least }: { readonly allowed: string; readonly least: number }) =>
  text(allowed, (value) => (parseQuantity(value) ?? 0) >= least);
const cpu = quantity(leastAmounts.cpu);
const memory = quantity(leastAmounts.memory);

/** With the seconds around it (shutdown.ts) the drain just fits into Kubernetes' own default grace. */
export const defaultShutdown = { drainSeconds: 15, graceSeconds: 30 };

const replicasRule = 'a whole number from 0 to 1000';
const mostReplicasRule = 'a whole number from 2 to 1000';
const percentRule = 'a whole number from 1 to 1000';
const drainRule = 'a whole number from 1 to 600';
const graceRule = 'a whole number from 1 to 3600';
const envRule =
  'text (put numbers and booleans in quotes), { secret: NAME, key: KEY }, { configMap: NAME, key: KEY }, { field: FIELD }, { resource: RESOURCE } or ' +
  '{ value: TEXT, notSecret: REASON }';
/** Users that a container may run as: not root, and not Istio's own, whose traffic goes past mutual TLS and every policy. */
const proxyUser = 1337;
const userRule = `the number of a user, from 1 to 2147483647, except ${proxyUser} (used by Istio)`;
const notSecretRule = 'why it is not a secret: one line of 1 to 300 characters';
const flagRule = 'true or false';
const servicesRule = 'a list of fully qualified proto services';

/** Names of proto services. */
export const services = z
  .array(z.string({ error: 'the fully qualified name of a proto service' }), { error: servicesRule })
  .default([]);
export const ports = mapping({ grpc: port.optional(), http: port.optional() });
export const resources = mapping({
  requests: mapping({ cpu, memory }),
  limits: mapping({ cpu: cpu.optional(), memory }),
});
export const replicas = whole(replicasRule, 0, 1000);

/** A list of texts that is not empty. */
export const words = (allowed: string) =>
  z
    .array(z.string({ error: 'text (put numbers and booleans in quotes)' }), { error: allowed })
    .min(1, { error: allowed });

/** Number of the user that a container runs as. */
export const userNumber = whole(userRule, 1, 2 ** 31 - 1).refine((value) => value !== proxyUser, {
  error: userRule,
});

/** Variables of a container. */
export const envSchema = z
  .record(
    z.string(),
    z.union(
      [
        z.string(),
        z.strictObject({ secret: z.string(), key: z.string() }),
        z.strictObject({ configMap: z.string(), key: z.string() }),
        z.strictObject({ field: z.string() }),
        z.strictObject({ resource: z.string(), divisor: z.string().exactOptional() }),
        z.strictObject({ value: z.string(), notSecret: line(notSecretRule, 300) }),
      ],
      { error: envRule },
    ),
    { error: 'a mapping from variable names to text, or to where the value comes from' },
  )
  .default({});

/** What is said alike of every container, wherever its image comes from. */
export const common = {
  autoscaling: mapping({
    maxReplicas: whole(mostReplicasRule, 2, 1000),
    cpuPercent: whole(percentRule, 1, 1000).default(70),
  }).optional(),
  shutdown: mapping({
    drainSeconds: whole(drainRule, 1, 600).default(defaultShutdown.drainSeconds),
    graceSeconds: whole(graceRule, 1, 3600).default(defaultShutdown.graceSeconds),
  }).default(defaultShutdown),
  env: envSchema,
  httpGateway: z.boolean({ error: flagRule }).default(false),
};
