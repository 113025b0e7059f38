import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../core/files.ts';

const labRecordSchema = z.object({
  subnet: z.string(),
  nodes: z.array(z.string()),
  /** Folders of the host that were made to mount on, to be removed with the lab. */
  mountPoints: z.array(z.string()),
});

/** What a lab consists of: written before anything is made, so that nothing made is ever forgotten. */
export type LabRecord = Readonly<z.infer<typeof labRecordSchema>>;

const file = (stateDir: string) => join(stateDir, 'lab.json');

/** The record of the lab of this checkout; none when there is no lab. */
export function readLabRecord(stateDir: string): LabRecord | undefined {
  if (!existsSync(file(stateDir))) return undefined;
  return labRecordSchema.parse(JSON.parse(readFileSync(file(stateDir), 'utf8')));
}

export function writeLabRecord(stateDir: string, record: LabRecord): void {
  writeFileAtomic(file(stateDir), JSON.stringify(record, null, 2));
}

export function removeLabRecord(stateDir: string): void {
  rmSync(file(stateDir), { force: true });
}

/** The kubeconfig with one context per cluster of the lab. */
export function labKubeconfig(stateDir: string): string {
  return join(stateDir, 'kubeconfig');
}
