import { z } from 'zod';
import { ProblemsError } from '../core/problem.ts';
import type { Problem } from '../core/problem.ts';
import type { ClusterAccess } from './connection.ts';

/** The program's configuration in the stack: keys of the project's namespace. */
export interface StackConfig {
  /** `clusters`: kubeconfig file and context by cluster. */
  readonly access: Readonly<Record<string, ClusterAccess>>;
  /** `istioctl`: its path, or the name of a command on PATH. */
  readonly istioctl: string;
  /** `trustDir`: folder of the CAs, relative to the project. */
  readonly trustDir: string;
}

const clustersSchema = z.record(
  z.string(),
  z.strictObject({ kubeconfig: z.string().min(1), context: z.string().min(1) }),
);

const defaults = { istioctl: 'istioctl', trustDir: '.meshwright/trust' } as const;

/** The stack configuration as key and value: what {@link readConfig} reads back. */
export function writeConfig(config: StackConfig): Readonly<Record<string, string>> {
  return { clusters: JSON.stringify(config.access), istioctl: config.istioctl, trustDir: config.trustDir };
}

/**
 * Reads and checks the stack's configuration.
 * @throws ProblemsError (exit 2) with everything that is missing or wrong.
 */
export function readConfig(
  get: (key: string) => string | undefined,
  clusters: readonly string[],
): StackConfig {
  const where = 'stack configuration: clusters';
  const allowed = "an object {NAME: {kubeconfig, context}} with the mesh's clusters";
  const fix = `pulumi config set --path 'clusters.${clusters[0] ?? 'NAME'}.context' CONTEXT (and .kubeconfig FILE)`;
  const text = get('clusters');
  if (text === undefined) throw new ProblemsError([{ where, what: 'is missing', allowed, fix }]);
  const parsed = clustersSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new ProblemsError(
      parsed.error.issues.map((issue) => ({
        where: [where, ...issue.path].join('.'),
        what: issue.message.toLowerCase(),
        allowed,
        fix,
      })),
    );
  }
  const problems = clusters.flatMap((cluster): Problem[] =>
    parsed.data[cluster] === undefined
      ? [{ where: `${where}.${cluster}`, what: 'is missing', allowed, fix }]
      : [],
  );
  if (problems.length > 0) throw new ProblemsError(problems);
  return {
    access: parsed.data,
    istioctl: get('istioctl') ?? defaults.istioctl,
    trustDir: get('trustDir') ?? defaults.trustDir,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
