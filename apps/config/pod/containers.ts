import { z } from 'zod';
import { imageProblem, imageRule } from '../../../core/image-reference.ts';
import { dnsLabelRule, isDnsLabel } from '../../../core/names.ts';
import { chosen } from '../chosen.ts';
import { envSchema, mapping, portBeside, resources, text, userNumber, whole, words } from '../fields.ts';
import { isMapping } from '../mapping.ts';
import { extraProbesSchema } from '../probes.ts';

/** What a container asks for of which nothing is said. */
export const defaultResources = {
  requests: { cpu: '100m', memory: '128Mi' },
  limits: { memory: '512Mi' },
} as const;

/** What {@link isMountPath} accepts. */
export const mountPathRule =
  'an absolute path below /, without ".", ".." or a slash at its end, such as /data';
/** Whether a volume can be mounted there. */
export const isMountPath = (value: string) =>
  /^(?:\/[^/:\p{Cc}]+)+$/u.test(value) &&
  value.length <= 500 &&
  !value.split('/').some((part) => part === '.' || part === '..') &&
  !['/proc', '/sys', '/dev'].includes(value);
const mountRule = 'the name of a volume, or { volume, readOnly?, subPath? }';
const volumeName = z.string({ error: mountRule });

/** What a container mounts, by path. */
export const mountsSchema = z.record(
  text(mountPathRule, isMountPath),
  chosen((value) =>
    isMapping(value)
      ? mapping({
          volume: z.string({ error: 'the name of a volume' }),
          readOnly: z.boolean({ error: 'true or false' }).exactOptional(),
          subPath: text(
            'a relative path within the volume, without ".."',
            (path) => /^[^/\p{Cc}]/u.test(path) && !path.split('/').includes('..'),
          ).exactOptional(),
        })
      : volumeName,
  ),
  { error: `volumes by path: ${mountPathRule}` },
);

const programRule = 'a list of a program and its arguments';
const exec = words(programRule);
const http = mapping({
  path: text('a path that begins with /', (value) => /^\/[^\s]*$/.test(value)),
  port: whole('a whole number from 1 to 65535', 1, 65_535),
});
const sleepSeconds = whole('a whole number of seconds from 1 to 600', 1, 600);

const hook = (shapes: Readonly<Record<string, z.ZodType>>, rule: string) =>
  chosen((value) => {
    const keys = isMapping(value) ? Object.keys(value) : [];
    const [key, ...others] = keys.filter((name) => name in shapes);
    const all = Object.fromEntries(Object.entries(shapes).map(([name, one]) => [name, one.optional()]));
    if (key === undefined && keys.length > 0) return mapping(all);
    if (key === undefined || others.length > 0) return z.never({ error: rule });
    return mapping(all);
  });

/** What runs right after a container was started. */
export const postStartSchema = hook({ exec, http }, '{ exec: [PROGRAM, ...] } or { http: { path, port } }');
const preStopSchema = hook(
  { exec, http, sleepSeconds },
  '{ exec: [PROGRAM, ...] }, { http: { path, port } } or { sleepSeconds: NUMBER }',
);

const extra = {
  name: text(dnsLabelRule, isDnsLabel),
  image: text(imageRule, (value) => imageProblem(value) === undefined).exactOptional(),
  command: words(programRule).exactOptional(),
  args: words('a list of arguments').exactOptional(),
  env: envSchema,
  resources: resources.default(defaultResources),
  user: userNumber.exactOptional(),
  mounts: mountsSchema.default({}),
  ports: z.array(portBeside(), { error: 'a list of ports' }).default([]),
  probes: extraProbesSchema,
  postStart: postStartSchema.exactOptional(),
  preStop: preStopSchema.exactOptional(),
};

/** Containers beside a service's own. */
export const containersSchema = z.array(mapping(extra), { error: 'a list of containers' });

/** Containers before it. */
export const initContainersSchema = z.array(
  mapping({ ...extra, sidecar: z.boolean({ error: 'true or false' }).default(false) }),
  { error: 'a list of containers' },
);
