import { fileURLToPath } from 'node:url';
import { refreshLock } from '../apps/config/image/lock.ts';
import { ProblemsError } from '../core/problem.ts';
import { writeDist } from './dist.ts';
import type { MeshModel } from './model.ts';
import { shop } from './shop.ts';
import { synthesize } from './synth.ts';
import type { RenderedStage } from './synth.ts';

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
export function synthShop(root: string): SynthesizedMesh {
  const mesh = shop(root);
  const rendered = synthesize(mesh);
  return { model: mesh.model(), rendered };
}

// As cdk8s runs it: `node charts/main.ts` brings images.lock.json and dist/ up to date.
if (import.meta.main) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  try {
    await refreshLock(root);
    const changed = writeDist(root, synthShop(root).rendered);
    for (const path of changed) process.stdout.write(`${path}\n`);
  } catch (error) {
    if (!(error instanceof ProblemsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}
