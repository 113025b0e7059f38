import type { MeshModel } from '../../charts/model/mesh-model.ts';
import { shop } from '../../mesh.ts';
import { synthesize } from '../../charts/synth.ts';
import type { RenderedStage } from '../../charts/synth.ts';

/** A mesh as it is applied: the model for those who plan, the YAML for those who review. */
export interface SynthesizedMesh {
  readonly model: MeshModel;
  readonly rendered: readonly RenderedStage[];
}

/**
 * Renders the shop without writing anything.
 * @param root - project root
 * @throws ProblemsError with every problem of the declaration and of the apps' config.yml
 */
export function synthMesh(root: string): SynthesizedMesh {
  const mesh = shop(root);
  const rendered = synthesize(mesh);
  return { model: mesh.model(), rendered };
}
