import { requireDeclaration } from './workspace/declaration.ts';
import { meshUp, synthDeclared } from './workspace/synth-mesh.ts';
import { ProblemsError } from '../core/problem.ts';
import { isHealthy } from '../infra/status/mesh-status.ts';
import { environmentOf, readRecord } from './workspace/record.ts';
import { formatStatus } from './output/status-text.ts';
import { statusOf } from './status-of.ts';
import type { Workspace } from './workspace/workspace.ts';

export interface StatusFlags {
  readonly json?: boolean;
}

/**
 * `npm run status`: what is up and how it does. Returns 0 when healthy, 1 when not. With `--json` it prints a
 * `MeshStatus`, or `{ "up": false }` when this checkout has nothing up.
 * @throws ProblemsError (exit 2) where there is no mesh.ts
 */
export async function status(at: Workspace, flags: StatusFlags, signal: AbortSignal): Promise<number> {
  const record = readRecord(at.stateDir);
  if (record === undefined) {
    requireDeclaration(at.root);
    if (flags.json) {
      process.stdout.write(`${JSON.stringify({ up: false }, null, 2)}\n`);
      return 1;
    }
    throw new ProblemsError(
      [{ where: 'the mesh', what: 'is not up from this checkout', fix: 'run `npm run up`' }],
      1,
    );
  }
  const { model } = synthDeclared(await meshUp(at.root, record), environmentOf(record));
  const seen = await statusOf(record, model, signal);
  process.stdout.write(flags.json ? `${JSON.stringify(seen, null, 2)}\n` : `${formatStatus(seen)}\n`);
  return isHealthy(seen) ? 0 : 1;
}
