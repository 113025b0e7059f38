import { lockFile } from '../images/lock.ts';
import { checkLock, refreshLock } from '../images/lock-apps.ts';
import { checkDist, writeDist } from '../charts/dist.ts';
import { labEnvironment } from './workspace/declaration.ts';
import { synthMesh } from './workspace/synth-mesh.ts';
import type { Workspace } from './workspace/workspace.ts';

export interface SynthFlags {
  readonly check?: boolean;
}

/**
 * `npm run synth`: brings images.lock.json to what the apps' sources make, and dist/ to what is declared; with `--check`, only
 * tells whether they are.
 */
export async function synth(at: Workspace, flags: SynthFlags): Promise<number> {
  if (flags.check) {
    await checkLock(at.root);
    const { rendered } = await synthMesh(at.root, labEnvironment);
    checkDist(at.root, rendered);
    process.stdout.write(
      `dist/ matches the declaration: ${rendered.length} files; ${lockFile} matches the sources\n`,
    );
    return 0;
  }
  const locked = await refreshLock(at.root);
  const { rendered } = await synthMesh(at.root, labEnvironment);
  const changed = [...writeDist(at.root, rendered), ...(locked ? [lockFile] : [])];
  process.stdout.write(
    changed.length === 0 ? 'dist/ matches the declaration\n' : changed.map((path) => `${path}\n`).join(''),
  );
  return 0;
}
