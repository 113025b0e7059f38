import * as pulumi from '@pulumi/pulumi';
import { environmentProblems, parseDeclaration, type Declaration } from '../../charts/declare.ts';
import type { HoleValues } from '../../charts/holes.ts';
import { throwIfAny } from '../../core/problem.ts';
import { project } from '../plan/stack-config.ts';
import type { MeshOutputs } from './mesh-component.ts';
import { runProgram } from './mesh-program.ts';
import type { ProgramInputs } from './program-inputs.ts';
import { stackEnvironment } from './stack-environment.ts';

/** Beside {@link pulumi.Config}, whose own getters return a secret and a value in plaintext alike. */
const runtime = pulumi.runtime as unknown as { readonly isConfigSecret: (key: string) => boolean };

/** What a program gives a mesh: all that the stack's configuration does not say. */
export interface RunOptions<Name extends string = string> extends ProgramInputs {
  /** @default - the environment of the stack's name */
  readonly environment?: Name;
}

/**
 * Brings the mesh of a stack up, as a Pulumi program or as a part of one: the environment of the stack's name, with the values of
 * the stack's configuration that begin with `meshwright:`, and with clusters and values that the program makes.
 * The checks of a preview in which these are not known yet ask no cluster; it says so, and plans everything.
 * @param declaration - what `declare` makes in mesh.ts
 * @param root - the project's folder, that of mesh.ts: apps and the paths in the configuration are relative to it
 * @throws pulumi.RunError, which Pulumi shows without a stack trace: a wrong input is not a bug of the program.
 */
export async function runStack<Name extends string>(
  declaration: Declaration<Name>,
  root: string,
  options: RunOptions<Name> = {},
): Promise<MeshOutputs> {
  const config = new pulumi.Config(project);
  const { environment, ...inputs } = options;
  return runProgram({
    declare: (filled: HoleValues) => {
      const parsed = parseDeclaration(declaration);
      if (environment !== undefined)
        throwIfAny(environmentProblems('runStack: environment', environment, parsed.environments));
      return parsed.mesh({
        root,
        environment: environment ?? stackEnvironment(parsed.environments),
        filled,
      });
    },
    root,
    get: (key) => config.get(key),
    isSecret: (key) => runtime.isConfigSecret(`${project}:${key}`),
    // Ephemeral: shown while it happens, not kept with the update.
    report: (line) => void pulumi.log.info(line, undefined, undefined, true),
    inputs,
  });
}
