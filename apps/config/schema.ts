import { z } from 'zod';
import { dnsLabelRule, isDnsLabel } from '../../core/names.ts';
import { podSchema } from './pod/schema.ts';
import { common, line, mapping, ports, replicas, resources, services, text } from './fields.ts';

const semanticVersion =
  /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(-[0-9a-zA-Z][0-9a-zA-Z.-]{0,39})?$/;

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

/** The schema of a config.yml of an app that is built from its folder; rules.ts checks how its fields fit each other. */
export const appConfigSchema = mapping({
  name: text(dnsLabelRule, isDnsLabel),
  services,
  ports,
  image: mapping({
    version: text('a semantic version as text, such as "1.4.0"', (value) => semanticVersion.test(value)),
    title: line('one line of 1 to 80 characters', 80),
    description: line('one line of 1 to 300 characters', 300),
    nodeOptions: z.array(nodeOption, { error: nodeOptionsRule }).default([]),
  }),
  resources,
  replicas,
  ...common,
  pod: podSchema.exactOptional(),
});
