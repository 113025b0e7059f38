import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../core/run.ts';
import { ensureGo, requiredGo } from '../../toolchain/go.ts';
import { ensurePrograms } from '../peers/go-build.ts';
import type { BuildOptions } from '../peers/go-build.ts';

const module = 'connectrpc.com/conformance';

/** The runner, and the descriptors of its protos, which our programs read (schema.ts). */
export interface Conformance {
  readonly runner: string;
  readonly descriptors: string;
}

/**
 * connectrpc's conformance runner, pinned by go.mod and built once.
 * @param descriptors - file to write
 * @throws ProblemsError with exit code 2 when the disk is too small, 1 when a build fails, naming its log.
 */
export async function ensureConformance(options: BuildOptions, descriptors: string): Promise<Conformance> {
  const folder = join(options.root, 'test/conformance');
  const goMod = readFileSync(join(folder, 'go.mod'), 'utf8');
  const { runner } = await ensurePrograms(
    {
      name: 'conformance',
      goMod,
      inputs: [readFileSync(join(folder, 'go.sum'), 'utf8')],
      packages: { runner: `${module}/cmd/connectconformance` },
      folder: () => Promise.resolve(folder),
      minutes: 2,
      gib: { build: 0.5, modules: 0.3, programs: 0.1 },
    },
    options,
  );
  const go = await ensureGo({ ...options, required: requiredGo([goMod]) });
  const settings = { cwd: folder, env: go.env, timeoutMs: 300_000 };
  // A program of the cache may have been built with another cache of modules.
  await run(go.command, ['mod', 'download', module], settings);
  const { stdout } = await run(go.command, ['list', '-m', '-f', '{{.Dir}}', module], settings);
  const buf = join(options.root, 'node_modules/.bin/buf');
  await run(buf, ['build', join(stdout.trim(), 'proto'), '--output', descriptors], {
    cwd: options.root,
    timeoutMs: 60_000,
  });
  return { runner, descriptors };
}
