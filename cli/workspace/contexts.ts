import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { nearest } from '../../core/names.ts';
import { own } from '../../core/own.ts';
import { throwIfAny, type Problem } from '../../core/problem.ts';
import type { ClusterAccess } from '../../infra/kube/connection.ts';

type Access = Readonly<Record<string, ClusterAccess>>;

/**
 * Reads `--context CLUSTER=CONTEXT` flags: one for each cluster of the mesh. A context is looked for in the files of
 * KUBECONFIG, else in ~/.kube/config, as kubectl does.
 * @param known - clusters that need no flag. @default - none
 * @throws ProblemsError (exit code 2) with everything that is wrong or missing.
 */
export function parseContexts(
  flags: readonly string[],
  clusters: readonly string[],
  env: NodeJS.ProcessEnv,
  known: Access = {},
): Access {
  const problems: Problem[] = [];
  const contexts = new Map<string, string>();
  for (const flag of flags) {
    const [cluster = '', ...rest] = flag.split('=');
    const context = rest.join('=');
    if (context === '') {
      problems.push({
        where: '--context',
        what: 'does not name a context',
        received: flag,
        allowed: 'CLUSTER=CONTEXT',
      });
    } else if (!clusters.includes(cluster)) {
      const near = nearest(cluster, clusters);
      problems.push({
        where: '--context',
        what: 'names a cluster that the mesh does not declare',
        received: cluster,
        allowed: clusters.join(', '),
        ...(near !== undefined && { fix: `write --context ${near}=${context}` }),
      });
    } else if (contexts.has(cluster)) {
      problems.push({
        where: '--context',
        what: `names ${cluster} twice`,
        received: flag,
        fix: 'name each cluster once',
      });
    } else contexts.set(cluster, context);
  }
  for (const [cluster, context] of contexts) {
    const first = [...contexts].find(([, other]) => other === context)?.[0];
    if (first !== cluster && first !== undefined) {
      problems.push({
        where: '--context',
        what: `is the same for ${first} and ${cluster}`,
        received: context,
        allowed: 'a cluster of its own for each',
      });
    }
  }
  const open = clusters.filter((name) => !contexts.has(name) && own(known, name) === undefined);
  for (const cluster of problems.length === 0 ? open : []) {
    problems.push({
      where: '--context',
      what: `is missing for cluster ${cluster}`,
      allowed: 'one context for every cluster of the mesh, or none at all for the lab',
      fix: `add --context ${cluster}=CONTEXT`,
    });
  }
  throwIfAny(problems);
  const files = kubeconfigFiles(env);
  return Object.fromEntries(
    // In the mesh's order, whatever the flags' is.
    clusters.map((cluster) => {
      const context = contexts.get(cluster);
      if (context === undefined) return [cluster, own(known, cluster) ?? { kubeconfig: '', context: '' }];
      return [
        cluster,
        // A context that no file has is looked for in the first: the error then names that file's contexts.
        { kubeconfig: files.find((path) => hasContext(path, context)) ?? files[0] ?? '', context },
      ];
    }),
  );
}

function kubeconfigFiles(env: NodeJS.ProcessEnv): readonly string[] {
  // npm changes to the project's folder; the user's own is in INIT_CWD.
  const listed = (env['KUBECONFIG'] ?? '')
    .split(delimiter)
    .filter(Boolean)
    .map((file) => resolve(env['INIT_CWD'] ?? '.', file));
  return listed.length > 0 ? listed : [join(homedir(), '.kube', 'config')];
}

const kubeconfigSchema = z.object({ contexts: z.array(z.object({ name: z.string() })) });

function hasContext(path: string, context: string): boolean {
  if (!existsSync(path)) return false;
  try {
    const { contexts } = kubeconfigSchema.parse(parse(readFileSync(path, 'utf8')));
    return contexts.some(({ name }) => name === context);
  } catch {
    return false; // said when it is opened, with its path
  }
}
