import { checkDist, writeDist } from '../charts/dist.ts';
import { synthShop } from '../charts/main.ts';
import type { Workspace } from './workspace.ts';

export interface SynthFlags {
  readonly check?: boolean;
}

/** `npm run synth`: brings dist/ to what is declared; with `--check`, only tells whether it is. */
export function synth(at: Workspace, flags: SynthFlags): Promise<number> {
  const { rendered } = synthShop(at.root);
  if (flags.check) {
    checkDist(at.root, rendered);
    process.stdout.write(`dist/ is as declared: ${rendered.length} files\n`);
    return Promise.resolve(0);
  }
  const changed = writeDist(at.root, rendered);
  process.stdout.write(
    changed.length === 0 ? 'dist/ is as declared\n' : changed.map((path) => `${path}\n`).join(''),
  );
  return Promise.resolve(0);
}
