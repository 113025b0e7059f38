import { lockFile } from '../images/lock.ts';
import { checkLock, refreshLock } from '../images/lock-apps.ts';
import { formatProblem, type Problem } from '../core/problem.ts';
import { checkDist, writeWholeDist, type Dist } from '../charts/dist.ts';
import { exceptionLines, exceptionsIn } from '../charts/exceptions.ts';
import { loadDeclaration } from './workspace/declaration.ts';
import { synthAll } from './workspace/synth-mesh.ts';
import type { Workspace } from './workspace/workspace.ts';

export interface SynthFlags {
  readonly check?: boolean;
}

/**
 * `npm run synth`: brings images.lock.json to what the apps' sources make, and dist/ to what is declared for every environment;
 * with `--check`, only tells whether they are.
 */
export async function synth(at: Workspace, flags: SynthFlags): Promise<number> {
  const declaration = await loadDeclaration(at.root);
  if (flags.check) {
    await checkLock(at.root);
    const { dist, unused } = synthAll(declaration, at.root);
    warn(unused);
    checkDist(at.root, dist);
    const files = [...dist.values()].flat().length;
    process.stdout.write(
      `dist/ matches the declaration of ${[...dist.keys()].join(', ')}: ${files} files; ${lockFile} matches the sources\n`,
    );
    tellExceptions(dist);
    return 0;
  }
  const locked = await refreshLock(at.root);
  const { dist, unused } = synthAll(declaration, at.root);
  warn(unused);
  const changed = [...writeWholeDist(at.root, dist), ...(locked ? [lockFile] : [])];
  process.stdout.write(
    changed.length === 0 ? 'dist/ matches the declaration\n' : changed.map((path) => `${path}\n`).join(''),
  );
  tellExceptions(dist);
  return 0;
}

function warn(problems: readonly Problem[]): void {
  for (const problem of problems) process.stderr.write(`warning: ${formatProblem(problem)}\n`);
}

/** What the declaration undoes of what the mesh guarantees, for who reviews it. */
function tellExceptions(dist: Dist): void {
  for (const [environment, rendered] of dist)
    for (const line of exceptionLines(environment, exceptionsIn(rendered))) process.stdout.write(`${line}\n`);
}
