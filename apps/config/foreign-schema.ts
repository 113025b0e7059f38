import { z } from 'zod';
import { imageRule } from '../../core/image-reference.ts';
import { dnsLabelRule, isDnsLabel, isSubdomain, subdomainRule } from '../../core/names.ts';
import { podSchema } from './pod/schema.ts';
import { defaultResources } from './pod/containers.ts';
import { chosen } from './chosen.ts';
import {
  common,
  mapping,
  portBeside,
  replicas,
  resources,
  services,
  text,
  userNumber,
  whole,
  words,
} from './fields.ts';
import { isMapping } from './mapping.ts';
import { metricsPorts } from './ports.ts';
import { probesSchema, tcpProbesSchema } from './probes.ts';
import { statefulSchema } from './pod/stateful.ts';

// Its own metrics are where it says; those of the HTTP gateway may stand beside.
const port = portBeside(metricsPorts.httpGateway);
const servicePortRule = 'a port from 1 to 65535, except 15000 to 15099 (used by Istio)';
const servicePort = whole(servicePortRule, 1, 65_535).refine((value) => value < 15_000 || value > 15_099, {
  error: servicePortRule,
});
/** What is said of a container whose image is built elsewhere, in a config.yml and in code alike. */
const shape = {
  // What is wrong with a text, rules tell.
  image: z.string({ error: imageRule }),
  imagePullSecrets: z
    .array(text(`the name of a Secret: ${subdomainRule}`, isSubdomain), {
      error: 'a list of names of Secrets',
    })
    .default([]),
  port: port.optional(),
  ports: mapping({ grpc: port.optional(), http: port.optional() }).optional(),
  servicePort: servicePort.optional(),
  resources: resources.default(defaultResources),
  replicas: replicas.default(1),
  ...common,
  command: words('a list of a program and its arguments').optional(),
  args: words('a list of arguments').optional(),
  probes: probesSchema,
  user: userNumber.optional(),
  metrics: mapping({
    port,
    path: text('a path that begins with /', (value) => /^\/[^\s,:]*$/.test(value)).default('/metrics'),
  }).optional(),
};

const tcpPort = chosen((value) =>
  isMapping(value) ? mapping({ port, servicePort: servicePort.optional() }) : port,
);

/** What is said of a container whatever it serves that is no gRPC. */
const otherShape = {
  imagePullSecrets: shape.imagePullSecrets,
  env: shape.env,
  resources: shape.resources,
  replicas: shape.replicas,
  autoscaling: shape.autoscaling,
  shutdown: shape.shutdown,
  command: shape.command,
  args: shape.args,
  probes: tcpProbesSchema,
  user: shape.user,
  metrics: shape.metrics,
  stateful: statefulSchema.optional(),
};

/** What is said of a container that serves something else than gRPC over TCP. */
export const tcpShape = {
  image: shape.image,
  // Names are checked by rules, which know which one is wrong.
  ports: z.record(z.string(), tcpPort, { error: 'a mapping from names to ports' }),
  ...otherShape,
};

/** What is said of a container that serves plain HTTP. */
const httpShape = { image: shape.image, port, servicePort: shape.servicePort, ...otherShape };

/** The keys of a container that serves plain HTTP. */
export const httpKeys = Object.keys(httpShape) as readonly (keyof typeof httpShape)[];

/** The schema of a container that serves plain HTTP, in code. */
export const httpPropsSchema = mapping(httpShape);

/** What the schema of such a container makes of it. */
export type ParsedHttp = z.infer<typeof httpPropsSchema>;

/** The keys of a container that serves something else over TCP. */
export const tcpKeys = Object.keys(tcpShape) as readonly (keyof typeof tcpShape)[];

/** The schema of a container that serves something else than gRPC over TCP, in code. */
export const tcpPropsSchema = mapping(tcpShape);

/** What the schema of such a container makes of it. */
export type ParsedTcp = z.infer<typeof tcpPropsSchema>;

/** The keys of such a container, in code. */
export const foreignKeys = Object.keys(shape) as readonly (keyof typeof shape)[];

/** The schema of such a container in code, where its name and its services are those of the construct. */
export const foreignPropsSchema = mapping(shape);

/** The schema of a config.yml of such a container. */
export const foreignFileSchema = mapping({
  name: text(dnsLabelRule, isDnsLabel),
  services,
  ...shape,
  pod: podSchema.optional(),
});

/** What the schema of such a container makes of it. */
export type ParsedForeign = z.infer<typeof foreignPropsSchema>;
