import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/**
 * An app as a process of its own, as in its container; its log by line. End it by `child.kill()`.
 * @param app - its folder, below apps/
 */
export function startProgram(app: string, environment: Record<string, string>) {
  const main = join(import.meta.dirname, '..', app, 'main.ts');
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: Record<string, unknown>[] = [];
  const reader = createInterface(child.stdout);
  reader.on('line', (line) => lines.push(JSON.parse(line) as Record<string, unknown>));
  const closed = once(child, 'close') as Promise<[number | null, string | null]>;
  return { child, lines, reader, closed };
}
