import type * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { parse } from 'yaml';
import { valuesKey } from '../../charts/holes.ts';
import { own } from '../../core/own.ts';
import { throwIfAny, type Problem } from '../../core/problem.ts';
import type { ClusterAccess } from '../kube/connection.ts';
import { providerProblems, see, sharedProviders } from './program-providers.ts';

/** A cluster that a program makes, or knows. */
export interface ProgramCluster {
  /**
   * The text of a kubeconfig, by which the cluster is checked and waited for. It is held in memory, and gets into neither the
   * state nor a message.
   */
  readonly kubeconfig: pulumi.Input<string>;
  /** A context of it. @default - its current one */
  readonly context?: string;
  /** Address by which the other clusters reach the API server, such as `https://10.0.0.5:6443`. @default - as in the kubeconfig */
  readonly apiServer?: pulumi.Input<string>;
  /** What every object in the cluster is made by: a provider of this cluster alone. It has to be given `providerSettings`. */
  readonly provider: kubernetes.Provider;
}

/** What a program gives the mesh beside the stack's configuration. */
export interface ProgramInputs {
  /**
   * What the holes of the environment are filled with, by their names: hosts and https URLs, and no secrets. One that stands in
   * `meshwright:values`, too, has to be equal.
   * @default - none
   */
  readonly values?: Readonly<Record<string, pulumi.Input<string>>>;
  /** Clusters by their names in the mesh. @default - those of `meshwright:clusters` */
  readonly clusters?: Readonly<Record<string, ProgramCluster>>;
}

/** What is known of a program's inputs now: all, except in a preview. */
export interface KnownInputs {
  readonly values: Readonly<Record<string, string>>;
  /** Names of values that are not known yet. */
  readonly open: readonly string[];
  readonly providers: Readonly<Record<string, kubernetes.Provider>>;
  readonly access: Readonly<Record<string, ClusterAccess>>;
  /** Names of clusters that are not known yet. */
  readonly unknown: readonly string[];
}

/**
 * Waits for a program's inputs, as far as they are known.
 * @throws ProblemsError (exit 2) for values that are secret or none; for providers without `providerSettings`, of several
 * clusters, and of another server than the cluster's kubeconfig
 */
export async function knownInputs({ values = {}, clusters = {} }: ProgramInputs): Promise<KnownInputs> {
  const problems: Problem[] = [];
  const known: Record<string, string> = {};
  const open: string[] = [];
  for (const [name, input] of Object.entries(values)) {
    const where = `runStack: ${valuesKey}.${name}`;
    const { value, isSecret } = await see(input);
    if (isSecret)
      problems.push({
        where,
        what: 'is a secret, and would be shown in plaintext in objects of the clusters',
        allowed: 'a host, or an https URL',
        fix: 'if it is none, give pulumi.unsecret(...)',
      });
    else if (typeof value === 'string') known[name] = value;
    else if (value === undefined && pulumi.runtime.isDryRun()) open.push(name);
    else
      problems.push({ where, what: 'is not a string', received: value, allowed: 'a host, or an https URL' });
  }
  const access: Record<string, ClusterAccess> = {};
  const unknown: string[] = [];
  for (const [name, cluster] of Object.entries(clusters)) {
    const reached = await reach(name, cluster);
    if (reached === undefined) unknown.push(name);
    else if ('what' in reached) problems.push(reached);
    else access[name] = reached;
    problems.push(...(await providerProblems(name, cluster.provider, own(access, name))));
  }
  const providers = Object.entries(clusters).map(([name, { provider }]) => [name, provider] as const);
  problems.push(...sharedProviders(providers));
  throwIfAny(problems);
  return { values: known, open, providers: Object.fromEntries(providers), access, unknown };
}

async function reach(name: string, cluster: ProgramCluster): Promise<ClusterAccess | Problem | undefined> {
  const { value: content } = await see(cluster.kubeconfig);
  const { value: apiServer } = await see(cluster.apiServer);
  const preview = pulumi.runtime.isDryRun();
  if (preview && (content === undefined || (cluster.apiServer !== undefined && apiServer === undefined)))
    return undefined;
  if (typeof content !== 'string')
    // Not shown: it holds credentials.
    return {
      where: `runStack: clusters.${name}.kubeconfig`,
      what: 'is not a string',
      allowed: 'the text of a kubeconfig in YAML or JSON; pulumi.jsonStringify(...) makes one of an object',
    };
  if (apiServer !== undefined && !isServer(apiServer))
    return {
      where: `runStack: clusters.${name}.apiServer`,
      what: 'is not an https URL',
      received: apiServer,
      allowed: 'https://HOST:PORT',
    };
  return {
    kubeconfig: '',
    context: cluster.context ?? currentContext(content),
    content: () => content,
    ...(typeof apiServer === 'string' && { apiServer }),
  };
}

function isServer(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value) && new URL(value).protocol === 'https:';
}

/** The current context of a kubeconfig; that it has none, or is none, is told by whoever opens it. */
function currentContext(content: string): string {
  try {
    const read = parse(content) as { readonly 'current-context'?: unknown } | null;
    const name = read?.['current-context'];
    return typeof name === 'string' ? name : '';
  } catch {
    return ''; // the parser's message quotes the text
  }
}
