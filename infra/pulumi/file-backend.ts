import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Environment of Pulumi for a file backend of ours: a checkpoint of a mesh has 5 MB, and each update writes it many times.
 * It is compressed, and not copied into `backups` at each write (https://www.pulumi.com/docs/iac/cli/environment-variables/).
 */
export const fileBackendSettings = {
  PULUMI_DIY_BACKEND_GZIP: 'true',
  PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS: 'true',
} as const;

/** The URL of a file backend in a folder; Pulumi parses it, and its characters mean something there: `%`, `#`, `?`. */
export function fileBackendUrl(folder: string): string {
  return pathToFileURL(folder).href;
}

/**
 * A value of a flag that Pulumi takes several of: it reads each as a line of CSV (RFC 4180), as `StringSlice` of pflag does.
 * @param value - without line breaks
 */
export function listValue(value: string): string {
  return /[",]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** Updates whose record and checkpoint stay. */
const keptUpdates = 10;

/**
 * Removes the history of all but the last ten updates of a stack from a file backend, which itself keeps all of it. The
 * files are `STACK-NANOSECONDS.history.json` and `….checkpoint.json`, with `.gz` where they are compressed.
 */
export function removeOldHistory(backend: string, project: string, stack: string): void {
  const folder = join(backend, '.pulumi', 'history', project, stack);
  if (!existsSync(folder)) return;
  const files = readdirSync(folder).flatMap((name) => {
    const [, time] = /-(\d+)\.(?:history|checkpoint)\.json(?:\.gz)?$/.exec(name) ?? [];
    return time === undefined ? [] : [{ name, time: BigInt(time) }];
  });
  const times = [...new Set(files.map(({ time }) => time))].sort((a, b) => (a < b ? 1 : -1));
  const kept = new Set(times.slice(0, keptUpdates));
  for (const { name, time } of files) if (!kept.has(time)) rmSync(join(folder, name));
}
