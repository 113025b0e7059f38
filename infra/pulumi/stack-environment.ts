import * as pulumi from '@pulumi/pulumi';
import { environmentProblems } from '../../charts/declare.ts';
import { ProblemsError } from '../../core/problem.ts';

/**
 * Tells the program its environment, where the stack's name does not: `up` with contexts alone calls the stack by the mesh's
 * name.
 */
export const environmentVariable = 'MESHWRIGHT_ENVIRONMENT';

/**
 * The environment of the stack that runs: the one of its name, unless `up` says another.
 * @param environments - those that are declared
 * @throws ProblemsError when none of the name is declared
 */
export function stackEnvironment<Name extends string>(environments: readonly Name[]): Name {
  const stack = pulumi.getStack();
  const asked = process.env[environmentVariable] ?? stack;
  const environment = environments.find((name) => name === asked);
  if (environment !== undefined) return environment;
  throw new ProblemsError(environmentProblems(`stack ${stack}`, asked, environments));
}
