import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { oneLine } from './one-line.ts';

const longestLine = 240;

/**
 * The last lines of a log that are not empty, each fit for a line of our output; none where there is no such file.
 * @param count - how many, at most; those within the file's last 16 KiB count
 */
export function lastLines(file: string, count = 6): readonly string[] {
  return endOf(file, 16 * 1024)
    .split('\n')
    .map((line) => oneLine(line, longestLine))
    .filter((line) => line !== '')
    .slice(-count);
}

function endOf(file: string, bytes: number): string {
  let log: number;
  try {
    log = openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
  try {
    const { size } = fstatSync(log);
    const buffer = Buffer.alloc(Math.min(size, bytes));
    const read = readSync(log, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8', 0, read);
  } finally {
    closeSync(log);
  }
}
