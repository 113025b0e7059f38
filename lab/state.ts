import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../core/files.ts';

const labRecordSchema = z.object({
  subnet: z.string(),
  nodes: z.array(z.string()),
  /** Folders of the host that were made to mount on, to be removed with the lab. */
  mountPoints: z.array(z.string()),
  /** Whether the host had a mount on the folder of named network namespaces before the lab. */
  netnsMounted: z.boolean(),
  /** The boot in which the nodes' data was written: data of another boot may be incomplete. */
  boot: z.string(),
});

/** What a lab consists of. Written before anything is created, so that everything created can be removed. */
export type LabRecord = Readonly<z.infer<typeof labRecordSchema>>;

const file = (stateDir: string) => join(stateDir, 'lab.json');

/** The record of this checkout's lab; undefined when there is no lab, or when a power cut destroyed the record. */
export function readLabRecord(stateDir: string): LabRecord | undefined {
  return labRecordSchema.safeParse(readJson(file(stateDir))).data;
}

export function writeLabRecord(stateDir: string, record: LabRecord): void {
  writeFileAtomic(file(stateDir), JSON.stringify(record, null, 2));
}

export function removeLabRecord(stateDir: string): void {
  rmSync(file(stateDir), { force: true });
}

/** Names the time since the machine's last start; another after each (random(4)). */
export function currentBoot(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** A JSON file's value; none when there is no such file or it is no JSON. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
