import * as pulumi from '@pulumi/pulumi';
import { environmentProblems } from '../../charts/declare.ts';
import { ProblemsError } from '../../core/problem.ts';

/**
 * Tells the program its environment, where the stack's name does not: `up` with contexts alone calls the stack by the mesh's
 * name.
 */
export const environmentVariable = 'MESHWRIGHT_ENVIRONMENT';

/**
 * The environment of the stack that runs: the one of its name. Only where there is none, `up` may say another.
 * @param environments - those that are declared
 * @throws ProblemsError when none of the name is declared, or the variable says another than the stack
 */
export function stackEnvironment<Name extends string>(environments: readonly Name[]): Name {
  const stack = pulumi.getStack();
  const said = process.env[environmentVariable];
  const asked = said ?? stack;
  if (asked !== stack && environments.some((name) => name === stack))
    throw new ProblemsError([
      {
        where: environmentVariable,
        what: `names another environment than stack ${stack}, which has one of its own name: it would be brought up in the clusters of ${stack}`,
        received: asked,
        allowed: stack,
        fix: `unset ${environmentVariable}`,
      },
    ]);
  const environment = environments.find((name) => name === asked);
  if (environment !== undefined) return environment;
  throw new ProblemsError(environmentProblems(`stack ${stack}`, asked, environments));
}
