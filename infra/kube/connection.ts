import { KubeConfig } from '@kubernetes/client-node';
import { existsSync } from 'node:fs';
import { own } from '../../core/own.ts';
import { nearest } from '../../core/names.ts';
import { ProblemsError, throwIfAny } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import { KubeClient } from './kube-client.ts';

/** How to reach a cluster: a kubeconfig file and a context in it. */
export interface ClusterAccess {
  readonly kubeconfig: string;
  readonly context: string;
  /** Address by which the other clusters reach the API server, such as `https://10.0.0.5:6443`. @default - as in the kubeconfig */
  readonly apiServer?: string;
  /**
   * Gives the text of the kubeconfig, in place of the file: credentials that a program holds in memory. A function, so that
   * no JSON of this shows them.
   */
  readonly content?: () => string;
}

/** One client per cluster, by cluster name. */
export type Clients = Readonly<Record<string, KubeClient>>;

/**
 * Makes a client per cluster, without calling any server.
 * @param file - the stack file that says how the clusters are reached. @default - flags do, or what `up` recorded
 * @throws ProblemsError (exit 2) with every missing file, unreadable file, missing context and wrong server address.
 */
export function openClients(
  clusters: readonly string[],
  access: Readonly<Record<string, ClusterAccess>>,
  file?: string,
): Clients {
  const problems: Problem[] = [];
  const clients: Record<string, KubeClient> = {};
  for (const cluster of clusters) {
    const source = file === undefined ? undefined : `meshwright:clusters.${cluster} in ${file}`;
    const opened = openClient(cluster, own(access, cluster), source);
    if (opened instanceof KubeClient) clients[cluster] = opened;
    else problems.push(opened);
  }
  throwIfAny(problems);
  return clients;
}

/**
 * Like {@link openClients}, and sends one request for its version to each server.
 * @throws ProblemsError: exit 2 as above; exit 1 with every server that cannot be reached or refuses the credentials.
 */
export async function connect(
  clusters: readonly string[],
  access: Readonly<Record<string, ClusterAccess>>,
  signal?: AbortSignal,
): Promise<Clients> {
  const clients = openClients(clusters, access);
  const answers = await Promise.allSettled(
    Object.values(clients).map((client) =>
      client.request('GET', '/version', { retryMs: 0, ...(signal && { signal }) }),
    ),
  );
  const problems = answers.flatMap((answer) => {
    if (answer.status === 'fulfilled') return [];
    if (answer.reason instanceof ProblemsError) return answer.reason.problems;
    throw answer.reason;
  });
  if (problems.length > 0) throw new ProblemsError(problems, 1);
  return clients;
}

function openClient(
  cluster: string,
  access: ClusterAccess | undefined,
  source: string | undefined,
): KubeClient | Problem {
  const where = `cluster ${cluster}`;
  if (access === undefined) {
    return { where, what: 'has no kubeconfig context', fix: `name one with --context ${cluster}=CONTEXT` };
  }
  const { context, content } = access;
  const kubeconfig = content === undefined ? access.kubeconfig : 'the kubeconfig that the program gives';
  if (content === undefined && !existsSync(kubeconfig)) {
    return {
      where,
      what: 'the kubeconfig file does not exist',
      received: kubeconfig,
      fix:
        source === undefined
          ? 'name an existing file in KUBECONFIG'
          : `correct kubeconfig of ${source}, or give --context ${cluster}=CONTEXT`,
    };
  }
  const config = new KubeConfig();
  try {
    if (content === undefined) config.loadFromFile(kubeconfig, { onInvalidEntry: 'filter' });
    else config.loadFromString(content(), { onInvalidEntry: 'filter' });
  } catch {
    // The parser's own message may quote the file, and the file holds credentials.
    return {
      where,
      ...(content === undefined
        ? { what: 'the kubeconfig file cannot be parsed', received: kubeconfig }
        : { what: `${kubeconfig} cannot be parsed` }),
      allowed: 'a kubeconfig (v1 Config) in YAML or JSON',
    };
  }
  const contexts = config.getContexts().map(({ name }) => name);
  if (!contexts.includes(context)) {
    const near = nearest(context, contexts);
    return {
      where,
      what: `${kubeconfig} has no such context`,
      received: context,
      allowed: contexts.length === 0 ? 'a context of the file, which has none' : contexts.join(', '),
      ...contextFix(near, source),
    };
  }
  config.setCurrentContext(context);
  if (config.getCurrentCluster() === null || config.getCurrentUser() === null) {
    return {
      where,
      what: `context ${context} names a cluster or user that ${kubeconfig} does not have, or a cluster without a server`,
      fix: `complete the context ${content === undefined ? 'in that file' : 'in it'}`,
    };
  }
  const { server } = config.getCurrentCluster() ?? {};
  if (!isServer(server)) {
    return {
      where,
      what: `the server of context ${context} in ${kubeconfig} is not an https URL`,
      received: server ?? '',
      allowed: 'https://HOST:PORT',
    };
  }
  return new KubeClient(cluster, config, content === undefined ? kubeconfig : undefined);
}

function contextFix(near: string | undefined, source: string | undefined): Pick<Problem, 'fix'> {
  const meant = near === undefined ? [] : [`did you mean ${near}?`];
  const fix = [...meant, ...(source === undefined ? [] : [`correct context of ${source}`])].join(' ');
  return fix === '' ? {} : { fix };
}

function isServer(server: string | undefined): boolean {
  return server !== undefined && URL.canParse(server) && new URL(server).protocol === 'https:';
}
