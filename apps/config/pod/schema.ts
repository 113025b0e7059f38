import { z } from 'zod';
import { isSubdomain, subdomainRule } from '../../../core/names.ts';
import { envSchema, line, mapping, replicas, resources, text, whole } from '../fields.ts';
import { imageProblem, imageRule } from '../../../core/image-reference.ts';
import { containersSchema, initContainersSchema, mountsSchema, postStartSchema } from './containers.ts';
import { patchesSchema } from './patches.ts';
import { volumeSchema } from './volumes.ts';

const texts = (what: string) =>
  z.record(z.string(), z.string({ error: 'text (put numbers and booleans in quotes)' }), { error: what });
const labels = texts('a mapping from names of labels to text');
const annotations = texts('a mapping from names of annotations to text');
const object = z.looseObject({}, { error: 'as Kubernetes writes it' });
const listOf = (what: string) =>
  z.array(z.string({ error: 'text' }), { error: what }).min(1, { error: what });

const toleration = mapping({
  key: z.string({ error: 'text' }).exactOptional(),
  operator: z.enum(['Equal', 'Exists'], { error: 'Equal, Exists' }).exactOptional(),
  value: z.string({ error: 'text' }).exactOptional(),
  effect: z
    .enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute'], {
      error: 'NoSchedule, PreferNoSchedule, NoExecute',
    })
    .exactOptional(),
  tolerationSeconds: whole('a whole number from 0 to 86400', 0, 86_400).exactOptional(),
});

const serviceAccount = mapping({ annotations: annotations.exactOptional() });

/** What is said of the pods of a workload, in its config.yml and in code alike. */
export const podSchema = mapping({
  labels: labels.exactOptional(),
  annotations: annotations.exactOptional(),
  nodeSelector: labels.exactOptional(),
  tolerations: z.array(toleration, { error: 'a list of tolerations' }).exactOptional(),
  affinity: mapping({
    nodeAffinity: object.exactOptional(),
    podAffinity: object.exactOptional(),
    podAntiAffinity: object.exactOptional(),
  }).exactOptional(),
  priorityClass: text(`the name of a PriorityClass: ${subdomainRule}`, isSubdomain).exactOptional(),
  hostAliases: z
    .record(z.string(), listOf('a list of names'), { error: 'a mapping from IP addresses to names' })
    .exactOptional(),
  group: whole('the number of a group, from 1 to 2147483647', 1, 2 ** 31 - 1).exactOptional(),
  volumes: z.record(z.string(), volumeSchema, { error: 'a mapping from names to volumes' }).exactOptional(),
  mounts: mountsSchema.exactOptional(),
  postStart: postStartSchema.exactOptional(),
  initContainers: initContainersSchema.exactOptional(),
  containers: containersSchema.exactOptional(),
  serviceAccount: serviceAccount.exactOptional(),
  kubernetesApi: mapping({
    rules: z
      .array(
        mapping({
          apiGroups: z.array(z.string({ error: 'text' }), { error: 'a list of API groups' }).exactOptional(),
          resources: listOf('a list of resources, such as pods'),
          resourceNames: listOf('a list of names').exactOptional(),
          verbs: listOf('a list of verbs, such as get'),
          reason: line(
            'why the rule may give the rights of others: one line of 1 to 300 characters',
            300,
          ).exactOptional(),
        }),
        { error: 'a list of rules' },
      )
      .exactOptional(),
  }).exactOptional(),
  notSecret: z
    .record(
      text('a path without commas and spaces, as synth tells it', (path) => /^[^\s,]{1,500}$/.test(path)),
      line('why it is not a secret: one line of 1 to 300 characters', 300),
      { error: 'reasons by path, as synth tells it: without commas and spaces' },
    )
    .exactOptional(),
  patches: patchesSchema.exactOptional(),
});

/** What differs in one cluster. */
export const inClusterSchema = mapping({
  env: envSchema,
  replicas: replicas.exactOptional(),
  resources: resources.exactOptional(),
  image: text(imageRule, (value) => imageProblem(value) === undefined).exactOptional(),
  nodeSelector: labels.exactOptional(),
  serviceAccount: serviceAccount.exactOptional(),
  patches: patchesSchema.exactOptional(),
});
