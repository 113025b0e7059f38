import { z } from 'zod';
import { isSubdomain, subdomainRule } from '../../../core/names.ts';
import { mapping, text, whole } from '../fields.ts';
import { parseQuantity } from '../quantity.ts';
import { chosen } from '../chosen.ts';
import { isMapping } from '../mapping.ts';

const fileRule = 'a relative path of 1 to 200 letters, digits, "-", "_", "." and "/", without ".."';
/** Whether a text can name a file in a volume. */
const isFile = (value: string) =>
  /^[-\w.][-\w./]{0,199}$/.test(value) && !value.split('/').some((part) => part === '' || part === '..');
const file = text(fileRule, isFile);
const keyRule = 'a key of 1 to 253 letters, digits, hyphens, underscores and dots';
const isKey = (value: string) => /^(?!\.\.?$)[-._A-Za-z0-9]{1,253}$/.test(value);
const sizeRule = 'a Kubernetes quantity as text, such as "64Mi"';
const modeRule = 'bits of files, from 0 to 0o777, such as 0o440';

const filesOf = (kind: string) =>
  mapping({
    name: text(`the name of ${kind}: ${subdomainRule}`, isSubdomain),
    items: z
      .record(z.string(), file, { error: 'a mapping from keys to files' })
      .refine((items) => Object.keys(items).every(isKey), { error: `files by key: ${keyRule}` })
      .exactOptional(),
    mode: whole(modeRule, 0, 0o777).exactOptional(),
  });
const configMap = filesOf('a ConfigMap');
const secret = filesOf('a Secret');

/** Fields of a pod that a file or a variable may have (https://kubernetes.io/docs/concepts/workloads/pods/downward-api/). */
const podFields = ['metadata.name', 'metadata.namespace', 'metadata.uid'];
const envFields = [
  ...podFields,
  ...['spec.nodeName', 'spec.serviceAccountName', 'status.hostIP', 'status.hostIPs'],
  ...['status.podIP', 'status.podIPs'],
];
const oneOfMany = /^metadata\.(?:labels|annotations)\['[^']+'\]$/;
const inFiles = [...podFields, 'metadata.labels', 'metadata.annotations'];
export const envFieldRule = `${envFields.join(', ')}, metadata.labels['NAME'] or metadata.annotations['NAME']`;
/** Whether a variable may have a field of its pod. */
export const isEnvField = (value: string) => envFields.includes(value) || oneOfMany.test(value);
const fileFieldRule = `${inFiles.join(', ')}, metadata.labels['NAME'] or metadata.annotations['NAME']`;

const fields = z.record(
  file,
  text(fileFieldRule, (value) => inFiles.includes(value) || oneOfMany.test(value)),
  {
    error: `fields of the pod by file: ${fileRule}`,
  },
);
/** Usual names of the Kubernetes API as an audience, and that of istiod's certificate authority. */
const takenAudiences = /^(?:(?:https:\/\/)?kubernetes(?:\.default(?:\.svc(?:\..*)?)?)?\/?|api|istio-ca)$/i;
const token = mapping({
  audience: text(
    'whom the token is for, but for the Kubernetes API, which kubernetesApi is for, and istiod',
    (value) => /^\S{1,253}$/.test(value) && !takenAudiences.test(value),
  ),
  path: file,
  expirationSeconds: whole('a whole number from 600 to 86400', 600, 86_400).exactOptional(),
});

const shapes = {
  emptyDir: mapping({
    sizeLimit: text(sizeRule, (value) => parseQuantity(value) !== undefined).exactOptional(),
    medium: z.literal('Memory', { error: 'Memory' }).exactOptional(),
  }),
  configMap,
  secret,
  projected: z
    .array(oneOf({ configMap, secret, fields, token }), { error: 'a list of what is put together' })
    .min(1, { error: 'a list of what is put together' }),
  claim: text(`the name of a PersistentVolumeClaim: ${subdomainRule}`, isSubdomain),
  files: z
    .record(text(`texts by file name: ${keyRule}`, isKey), z.string({ error: 'text' }), {
      error: 'texts by file name',
    })
    .refine((given) => Object.keys(given).length > 0, { error: 'texts by file name, at least one' }),
};

/** A volume: one of its sources. */
export const volumeSchema = oneOf(shapes);

/** A mapping with exactly one of these keys; what is wrong is told of the key that is there. */
function oneOf(of: Readonly<Record<string, z.ZodType>>) {
  const names = Object.keys(of);
  const rule = `a mapping with one of the keys ${names.join(', ')}`;
  return chosen((value) => {
    const known = isMapping(value) ? Object.keys(value).filter((key) => names.includes(key)) : [];
    const [key, ...others] = known;
    if (key === undefined && isMapping(value) && Object.keys(value).length > 0)
      return mapping(Object.fromEntries(names.map((name) => [name, z.unknown().optional()])));
    if (key === undefined || others.length > 0) return z.never({ error: rule });
    return z.strictObject({ [key]: of[key] ?? z.never() }, { error: `a mapping with the keys ${key}` });
  });
}
