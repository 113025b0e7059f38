import { ProblemsError } from '../core/problem.ts';
import type * as Lab from './lab/index.ts';

const name = '@meshwright/lab';

/** The lab, loaded when it is asked for; undefined where a project has not installed its package. */
export async function findLab(): Promise<typeof Lab | undefined> {
  try {
    return await import('./lab/index.ts');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** @throws ProblemsError (exit 2) where a project has not installed the lab's package */
export async function requireLab(): Promise<typeof Lab> {
  const lab = await findLab();
  if (lab !== undefined) return lab;
  throw new ProblemsError([
    {
      where: 'the lab',
      what: `the package ${name} is not installed`,
      fix: `run \`npm install --save-dev ${name}\`, or name clusters of your own with --stack or --context`,
    },
  ]);
}

/** Whether the error is that of the lab's own package, and not of one that it needs. */
export function isMissing(error: unknown): boolean {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return code === 'ERR_MODULE_NOT_FOUND' && String(message).includes(`Cannot find package '${name}'`);
}
