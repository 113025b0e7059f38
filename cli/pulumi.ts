import { join } from 'node:path';
import type { MeshModel } from '../charts/model/mesh-model.ts';
import type { PulumiOptions } from '../infra/pulumi/pulumi-engine.ts';
import { environmentOf, type UpRecord } from './workspace/record.ts';
import type { Workspace } from './workspace/workspace.ts';

/** How the Pulumi engine is run for a checkout's mesh. */
export function pulumiOptions(
  at: Workspace,
  record: UpRecord,
  mesh: Pick<MeshModel, 'name'>,
  report: (line: string) => void,
  signal: AbortSignal,
): PulumiOptions {
  return {
    root: at.root,
    stateDir: join(at.stateDir, 'pulumi'),
    stack: record.stack ?? mesh.name,
    environment: environmentOf(record),
    local: record.lab,
    leaving: Object.keys(record.left ?? {}),
    report,
    signal,
  };
}
