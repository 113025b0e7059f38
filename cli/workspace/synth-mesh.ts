import type { Declaration } from '../../charts/declare.ts';
import type { MeshModel } from '../../charts/model/mesh-model.ts';
import { synthesize } from '../../charts/synth.ts';
import type { RenderedStage } from '../../charts/synth.ts';
import { loadDeclaration } from './declaration.ts';

/** A mesh as it is applied: the model for those who plan, the YAML for those who review. */
export interface SynthesizedMesh {
  readonly model: MeshModel;
  readonly rendered: readonly RenderedStage[];
}

/**
 * Renders the declared mesh in an environment without writing anything.
 * @param root - project root
 * @throws ProblemsError with every problem of the declaration and of the apps' config.yml
 */
export async function synthMesh(root: string, environment: string): Promise<SynthesizedMesh> {
  return synthDeclared(await loadDeclaration(root), root, environment);
}

/** The same for a declaration that is loaded. */
export function synthDeclared(declaration: Declaration, root: string, environment: string): SynthesizedMesh {
  const mesh = declaration.mesh({ root, environment });
  const rendered = synthesize(mesh);
  return { model: mesh.model(), rendered };
}
