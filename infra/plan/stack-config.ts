import { z } from 'zod';
import { resolve } from 'node:path';
import { homedir } from 'node:os';
import { nearest } from '../../core/names.ts';
import { ProblemsError } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import type { ClusterAccess } from '../kube/connection.ts';

/** Which root and intermediate CAs the mesh uses; docs/trust.md describes how to change them. */
export interface TrustSettings {
  /** Number of the root CA of the mesh, from 1. */
  readonly generation: number;
  /**
   * How far the mesh has moved from the previous root to this generation's. `add-root`: both are trusted, the old one signs.
   * `re-issue`: both are trusted, the new one signs. `drop-root`: only the new one is trusted, as without a phase.
   */
  readonly phase?: 'add-root' | 're-issue' | 'drop-root';
  /** Number of the intermediate CA that the root signs for each cluster, from 1. */
  readonly intermediate: number;
  /** Signs the intermediate CAs in place of a root in the trust folder; excludes the numbers and the phase. */
  readonly issuer?: IssuerReference;
  /** Holds the CAs in place of the trust folder and of Secrets; excludes the numbers, the phase and the issuer. */
  readonly csi?: CaVolume;
}

/**
 * A volume with the files of a cluster's CA, from a CSI driver that has this name in every cluster
 * (https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#csi-ephemeral-volumes).
 */
export interface CaVolume {
  /** Such as `secrets-store.csi.k8s.io`. */
  readonly driver: string;
  /** What the driver is told: for the Secrets Store CSI driver `secretProviderClass`. @default - nothing */
  readonly volumeAttributes: Readonly<Record<string, string>>;
}

/** An issuer of cert-manager, which has this name in every cluster. */
export interface IssuerReference {
  readonly name: string;
  /** `ClusterIssuer`, or `Issuer` for one in the control plane's namespace; issuers of other groups have their own kinds. */
  readonly kind: string;
  readonly group: string;
}

/** The tokens with which control planes read each other's clusters; docs/remote-access.md describes how to renew them. */
export interface RemoteAccessSettings {
  /** Number of the tokens, from 1: a higher number requests new ones now. */
  readonly generation: number;
  /** How long a token is valid, in days. */
  readonly tokenDays: number;
}

/** The configuration of a stack: the keys of the project's namespace in `Pulumi.<stack>.yaml`. */
export interface StackConfig {
  /** `clusters`: how each cluster is reached, by its name in the mesh. */
  readonly access: Readonly<Record<string, ClusterAccess>>;
  /** `istioctl`: its path, or the name of a command on PATH. */
  readonly istioctl: string;
  /** `trustDir`: folder of the CAs. */
  readonly trustDir: string;
  readonly trust: TrustSettings;
  readonly remoteAccess: RemoteAccessSettings;
  /** What the holes of the environment are filled with, by their names; in plaintext (charts/holes.ts). */
  readonly values: Readonly<Record<string, string>>;
  /** `labImages`: archives of images that the lab takes in the place of a registry, by their references. @default - none */
  readonly labImages?: Readonly<Record<string, string>>;
}

/** Where the values of the running stack are, for messages. */
export const runningStack = 'stack configuration';

/** Namespace of the stack's keys: `meshwright:trust` and so on. */
export const project = 'meshwright';

const counter = z.int().min(1);
const certManagerGroup = 'cert-manager.io';
const counted = ['generation', 'phase', 'intermediate'] as const;
const trust = z
  .strictObject({
    generation: counter.exactOptional(),
    phase: z.enum(['add-root', 're-issue', 'drop-root']).exactOptional(),
    intermediate: counter.exactOptional(),
    issuer: z
      .strictObject({
        name: z.string().regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/),
        kind: z
          .string()
          .regex(/^[A-Z][A-Za-z0-9]*$/)
          .default('ClusterIssuer'),
        group: z
          .string()
          .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
          .default(certManagerGroup),
      })
      .refine(({ kind, group }) => group !== certManagerGroup || ['Issuer', 'ClusterIssuer'].includes(kind), {
        path: ['kind'],
        message: `cert-manager has no issuer of this kind`,
      })
      .exactOptional(),
    csi: z
      .strictObject({
        driver: z.string().regex(/^(?=.{1,63}$)[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/),
        volumeAttributes: z.record(z.string(), z.string()).default({}),
      })
      .exactOptional(),
  })
  .superRefine((given, context) => {
    const refuse = (key: keyof typeof given, message: string) => {
      context.addIssue({ code: 'custom', path: [key], message, input: given[key] });
    };
    const numbers = counted.filter((name) => given[name] !== undefined);
    if (given.issuer !== undefined)
      for (const key of numbers)
        refuse(
          key,
          'cannot be combined with trust.issuer: cert-manager renews what it signs, and the root cannot be changed',
        );
    else if (given.csi !== undefined)
      for (const key of numbers)
        refuse(key, 'cannot be combined with trust.csi: whoever fills the volume renews what is in it');
    if (given.issuer !== undefined && given.csi !== undefined)
      refuse('csi', 'cannot be combined with trust.issuer: one of them gives the clusters their CAs');
  })
  .transform(({ generation = 1, intermediate = 1, ...rest }) => ({ generation, intermediate, ...rest }));
const schema = z.strictObject({
  clusters: z
    .record(
      z.string(),
      z.strictObject({
        kubeconfig: z.string().min(1),
        context: z.string().min(1),
        apiServer: z.url({ protocol: /^https$/ }).exactOptional(),
      }),
    )
    .default({}),
  istioctl: z.string().min(1).default('istioctl'),
  trustDir: z.string().min(1).default('.meshwright/trust'),
  trust: trust.prefault({}),
  remoteAccess: z
    .strictObject({
      generation: counter.default(1),
      tokenDays: z.number().min(1).max(365).default(30),
    })
    .prefault({}),
  values: z.record(z.string(), z.string()).default({}),
  labImages: z.record(z.string(), z.string().min(1)).default({}),
});

/** The keys that a stack may have. */
export const configKeys = Object.keys(schema.shape) as readonly (keyof typeof schema.shape)[];

/** The allowed values, by the beginning of a key's path. */
const allowed: readonly (readonly [path: RegExp, allowed: string])[] = [
  [/^clusters/, '{NAME: {kubeconfig: FILE, context: CONTEXT, apiServer?: https://HOST:PORT}}'],
  [/^trust\.phase/, 'add-root, re-issue, drop-root, or none'],
  [/^trust\.issuer\.name/, 'the name of an issuer'],
  [
    /^trust\.issuer\.kind/,
    `Issuer, ClusterIssuer, or with a group other than ${certManagerGroup} a kind of that group`,
  ],
  [/^trust\.issuer\.group/, `an API group, such as ${certManagerGroup}`],
  [/^trust\.issuer/, '{name, kind?: ClusterIssuer|Issuer, group?}'],
  [/^trust\.csi\.driver/, 'the name of a CSI driver'],
  [/^trust\.csi\.volumeAttributes/, '{NAME: TEXT}'],
  [/^trust\.csi$/, '{driver, volumeAttributes?}, without trust.issuer'],
  [/^(trust\.|remoteAccess\.generation)/, 'a whole number from 1'],
  [/^trust$/, '{generation?, phase?, intermediate?}, {issuer}, or {csi}'],
  [/^remoteAccess\.tokenDays/, 'a number of days from 1 to 365'],
  [/^remoteAccess/, '{generation?, tokenDays?}'],
  [/^labImages/, '{IMAGE: FILE}, an archive of each image'],
  [/^values/, '{HOLE: a host, or an https URL}, as text and in plaintext'],
];

/**
 * Reads a stack's values, from whatever source; `clusters` may be missing. Paths are relative to `root`, or to the home
 * folder after `~/`.
 * @param where - the source of the values, for the messages
 * @throws ProblemsError (exit 2) with everything that is wrong.
 */
export function parseConfig(values: unknown, root: string, where: string): StackConfig {
  const parsed = schema.safeParse(values ?? {});
  if (!parsed.success)
    throw new ProblemsError(parsed.error.issues.flatMap((issue) => problemsOf(issue, where)));
  const { clusters, istioctl, trustDir, trust, remoteAccess, values: filled, labImages } = parsed.data;
  return {
    access: Object.fromEntries(
      Object.entries(clusters).map(([name, access]) => [
        name,
        { ...access, kubeconfig: pathFrom(root, access.kubeconfig) },
      ]),
    ),
    istioctl: istioctl.includes('/') ? pathFrom(root, istioctl) : istioctl,
    trustDir: pathFrom(root, trustDir),
    trust,
    remoteAccess,
    values: filled,
    labImages: Object.fromEntries(
      Object.entries(labImages).map(([image, file]) => [image, pathFrom(root, file)]),
    ),
  };
}

/**
 * Reads the configuration of the running stack.
 * @param get - the value of a key as Pulumi keeps it: objects are JSON
 * @throws ProblemsError (exit 2) with everything that is wrong.
 */
export function readConfig(get: (key: string) => string | undefined, root: string): StackConfig {
  const values = configKeys.flatMap((key) => {
    const value = get(key);
    return value === undefined ? [] : [[key, parseJson(value)]];
  });
  return parseConfig(Object.fromEntries(values), root, runningStack);
}

/** The configuration as the keys and values that {@link readConfig} reads. */
export function writeConfig(config: StackConfig): Readonly<Record<string, string>> {
  const { access, istioctl, trustDir, trust, remoteAccess, values, labImages = {} } = config;
  return {
    clusters: JSON.stringify(access),
    istioctl,
    trustDir,
    trust: JSON.stringify(
      trust.issuer !== undefined
        ? { issuer: trust.issuer }
        : trust.csi !== undefined
          ? { csi: trust.csi }
          : trust,
    ),
    remoteAccess: JSON.stringify(remoteAccess),
    values: JSON.stringify(values),
    labImages: JSON.stringify(labImages),
  };
}

/** Clusters of the mesh that are missing in the configuration, and clusters in it that are not in the mesh. */
export function missingClusters(
  config: Pick<StackConfig, 'access'>,
  clusters: readonly string[],
  where: string,
): readonly Problem[] {
  const named = Object.keys(config.access);
  const fix = (name: string) =>
    `pulumi config set --path '${project}:clusters.${name}.context' CONTEXT (and .kubeconfig FILE)`;
  return [
    ...clusters
      .filter((name) => !named.includes(name))
      .map((name) => ({ where: `${where}: clusters.${name}`, what: 'is missing', fix: fix(name) })),
    ...named
      .filter((name) => !clusters.includes(name))
      .map((name) => {
        const near = nearest(name, clusters);
        return {
          where: `${where}: clusters.${name}`,
          what: 'is not a cluster of the mesh',
          allowed: clusters.join(', '),
          ...(near !== undefined && { fix: `did you mean ${near}?` }),
        };
      }),
  ];
}

function problemsOf(issue: z.core.$ZodIssue, where: string): readonly Problem[] {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const known = path === '' ? configKeys : keysOf(path);
    return issue.keys.map((key) => {
      const near = nearest(key, known);
      return {
        where: `${where}: ${[...issue.path, key].join('.')}`,
        what: 'is not a known key',
        allowed: known.join(', '),
        ...(near !== undefined && { fix: `did you mean ${near}?` }),
      };
    });
  }
  const rule =
    issue.code === 'custom' && counted.some((key) => path === `trust.${key}`)
      ? `${issue.message.includes('trust.csi') ? 'csi' : 'issuer'} alone`
      : allowed.find(([pattern]) => pattern.test(path))?.[1];
  return [
    {
      where: `${where}: ${path}`,
      what: issue.message.toLowerCase().replace(/^invalid input: /, ''),
      ...(rule !== undefined && { allowed: rule }),
    },
  ];
}

function keysOf(key: string): readonly string[] {
  if (key === 'trust') return [...counted, 'issuer', 'csi'];
  if (key === 'trust.csi') return ['driver', 'volumeAttributes'];
  if (key === 'trust.issuer') return ['name', 'kind', 'group'];
  if (key === 'remoteAccess') return ['generation', 'tokenDays'];
  return ['kubeconfig', 'context', 'apiServer'];
}

function pathFrom(root: string, path: string): string {
  return path.startsWith('~/') ? resolve(homedir(), path.slice(2)) : resolve(root, path);
}

/** Pulumi gives objects as JSON, and strings as they are. */
function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : text;
  } catch {
    return text;
  }
}
