import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../core/files.ts';
import { ProblemsError } from '../core/problem.ts';

const recordSchema = z.object({
  engine: z.enum(['apply', 'pulumi']),
  /** Whether the clusters are this checkout's lab. */
  lab: z.boolean(),
  /** Whose file, `Pulumi.<stack>.yaml`, the configuration is in; defaults without one. */
  stack: z.string().exactOptional(),
  access: z.record(
    z.string(),
    z.object({ kubeconfig: z.string(), context: z.string(), apiServer: z.string().exactOptional() }),
  ),
});

/** What is up: written before anything is applied, so that `status` and `down` know where to look. */
export type UpRecord = Readonly<z.infer<typeof recordSchema>>;

const file = (stateDir: string) => join(stateDir, 'up.json');

/** The record of the last `up`; none after `down`. */
export function readRecord(stateDir: string): UpRecord | undefined {
  if (!existsSync(file(stateDir))) return undefined;
  try {
    return recordSchema.parse(JSON.parse(readFileSync(file(stateDir), 'utf8')));
  } catch {
    throw new ProblemsError([
      {
        where: file(stateDir),
        what: 'is no record of what is up',
        fix: 'restore it, or remove it and give `npm run up` the same contexts again',
      },
    ]);
  }
}

export function writeRecord(stateDir: string, record: UpRecord): void {
  writeFileAtomic(file(stateDir), JSON.stringify(record, null, 2));
}

export function removeRecord(stateDir: string): void {
  rmSync(file(stateDir), { force: true });
}
