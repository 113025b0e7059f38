import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { root } from './cli.ts';

/** What a mesh is declared from, beside charts/: with the same lock its images are the lab's. */
const sources = ['apps', 'images.lock.json'];

/** A copy of the checkout's apps in which some keys of a config.yml differ; `remove` it after. */
export function projectWith(changes: Readonly<Record<string, Readonly<Record<string, unknown>>>>): {
  readonly root: string;
  readonly remove: () => void;
} {
  const copy = mkdtempSync(join(tmpdir(), 'meshwright-project-'));
  for (const source of sources) cpSync(join(root, source), join(copy, source), { recursive: true });
  for (const [app, keys] of Object.entries(changes)) {
    const file = join(copy, 'apps', app, 'config.yml');
    const config = parse(readFileSync(file, 'utf8')) as object;
    writeFileSync(file, stringify({ ...config, ...keys }));
  }
  return {
    root: copy,
    remove: () => {
      rmSync(copy, { recursive: true });
    },
  };
}
