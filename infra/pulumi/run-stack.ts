import * as pulumi from '@pulumi/pulumi';
import { parseDeclaration, type Declaration } from '../../charts/declare.ts';
import { project } from '../plan/stack-config.ts';
import type { MeshOutputs } from './mesh-component.ts';
import { runProgram } from './mesh-program.ts';
import { stackEnvironment } from './stack-environment.ts';

/**
 * Brings the mesh of a stack up, as a Pulumi program: the environment of the stack's name, with the values of the stack's
 * configuration that begin with `meshwright:`.
 * @param declaration - what `declare` makes in mesh.ts
 * @param root - the project's folder, that of mesh.ts: apps and the paths in the configuration are relative to it
 * @throws pulumi.RunError, which Pulumi shows without a stack trace: a wrong input is not a bug of the program.
 */
export async function runStack(declaration: Declaration, root: string): Promise<MeshOutputs> {
  const config = new pulumi.Config(project);
  // Ephemeral: shown while it happens, not kept with the update.
  const report = (line: string) => void pulumi.log.info(line, undefined, undefined, true);
  const mesh = () => {
    const parsed = parseDeclaration(declaration);
    return parsed.mesh({ root, environment: stackEnvironment(parsed.environments) });
  };
  return runProgram(mesh, root, (key) => config.get(key), report);
}
