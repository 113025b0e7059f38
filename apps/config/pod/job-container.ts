import type { z } from 'zod';
import type { Problem } from '../../../core/problem.ts';
import type { ForeignConfig } from '../container.ts';
import { checkEnv } from '../env-rules.ts';
import { defaultShutdown, mapping } from '../fields.ts';
import { checkImage } from '../foreign.ts';
import { tcpShape } from '../foreign-schema.ts';
import type { Where } from '../mapping.ts';
import { checkResources } from '../rules.ts';

/** What is said of a container that ends by itself, and serves nothing. */
const jobShape = {
  image: tcpShape.image,
  imagePullSecrets: tcpShape.imagePullSecrets,
  env: tcpShape.env,
  resources: tcpShape.resources,
  command: tcpShape.command,
  args: tcpShape.args,
  user: tcpShape.user,
};

/** The keys of such a container. */
export const jobContainerKeys = Object.keys(jobShape) as readonly (keyof typeof jobShape)[];

/** The schema of such a container, in code. */
export const jobContainerSchema = mapping(jobShape);

/** What of such a container the schema does not see: whether its fields fit each other. */
export function checkJobRules(value: unknown, where: Where): Problem[] {
  return [...checkImage(value, where), ...checkResources(value, where), ...checkEnv(value, where, false)];
}

/** The container that a sound declaration means. It has no ports and no probes: nobody calls it, and its end says how it is. */
export function jobConfig(name: string, parsed: z.infer<typeof jobContainerSchema>): ForeignConfig {
  const { image, imagePullSecrets, command, args, user, resources, env } = parsed;
  return {
    name,
    services: [],
    ports: {},
    resources: resources as ForeignConfig['resources'],
    replicas: 1,
    shutdown: defaultShutdown,
    env,
    httpGateway: false,
    foreign: {
      reference: image,
      pullSecrets: imagePullSecrets,
      tcp: {},
      ...(command !== undefined && { command }),
      ...(args !== undefined && { args }),
      probes: { startup: 'none', readiness: 'none', liveness: 'none' },
      ...(user !== undefined && { user }),
    },
  };
}
