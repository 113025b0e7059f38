import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../../core/files.ts';

const recordSchema = z.array(z.string());

const file = (stateDir: string) => join(stateDir, 'proofs.json');

/** The titles of the proofs that hold for what is up, of those not made every time; none where nothing is known, so that they are made again. */
export function readProved(stateDir: string): readonly string[] {
  if (!existsSync(file(stateDir))) return [];
  try {
    return recordSchema.parse(JSON.parse(readFileSync(file(stateDir), 'utf8')));
  } catch {
    return [];
  }
}

export function writeProved(stateDir: string, titles: readonly string[]): void {
  writeFileAtomic(file(stateDir), JSON.stringify(titles));
}

export function removeProved(stateDir: string): void {
  rmSync(file(stateDir), { force: true });
}
