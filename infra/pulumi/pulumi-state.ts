import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { secretMode, writeFileAtomic } from '../../core/files.ts';
import { run } from '../../core/run.ts';
import { field, list, text } from '../kube/kube-object.ts';

const timeoutMs = 120_000;

/** Kinds of objects that may contain objects of others. */
const shared: readonly unknown[] = [
  'kubernetes:core/v1:Namespace',
  'kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition',
];

/**
 * Prepares a stack to be destroyed without questions: nothing is protected any more (as by `pulumi state unprotect --all`),
 * and kinds that may contain objects of others are only dropped from the state. Edits the exported state, in which secrets
 * stay encrypted.
 * @param clusters - whose objects alone are to be deleted. @default - all
 */
export async function prepareRemoval(
  stack: string,
  workDir: string,
  environment: Readonly<Record<string, string>>,
  clusters?: readonly string[],
): Promise<void> {
  const pulumi = (...args: string[]) =>
    run('pulumi', [...args, '--stack', stack, '--non-interactive'], {
      cwd: workDir,
      env: environment,
      timeoutMs,
    });
  const exported = JSON.parse((await pulumi('stack', 'export')).stdout) as object;
  const file = join(workDir, 'removal.json');
  try {
    writeFileAtomic(file, JSON.stringify(unprotectedState(exported, clusters)), secretMode);
    await pulumi('stack', 'import', '--file', file);
  } finally {
    rmSync(file, { force: true });
  }
}

/** The cluster that a resource is in: its name, the last part of its URN, is `CLUSTER/NAMESPACE/NAME` or `CLUSTER/NAME`. */
function clusterOf(resource: unknown): string {
  const name = text(resource, 'urn')?.split('::').at(-1) ?? '';
  return name.includes('/') ? name.slice(0, name.indexOf('/')) : '';
}

/** An exported stack (`{version, deployment: {resources: [...]}}`) with the marks that {@link prepareRemoval} sets. */
export function unprotectedState(exported: object, clusters?: readonly string[]): object {
  const resources = list(exported, 'deployment', 'resources').map((resource) => {
    if (clusters !== undefined && !clusters.includes(clusterOf(resource))) return resource;
    const unprotected = Object.fromEntries(
      Object.entries(resource as object).filter(([key]) => key !== 'protect'),
    );
    return shared.includes(unprotected['type']) ? { ...unprotected, retainOnDelete: true } : unprotected;
  });
  const deployment = field(exported, 'deployment') as object | undefined;
  if (resources.length === 0) return exported;
  return { ...exported, deployment: { ...deployment, resources } };
}
