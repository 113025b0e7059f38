import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePrograms } from '../peers/go-build.ts';
import type { BuildOptions } from '../peers/go-build.ts';

/**
 * The path of NATS' server, pinned by go.mod and built once: a broker whose protocol the server begins, with an INFO that has its own id
 * (https://docs.nats.io/reference/reference-protocols/nats-protocol).
 * @throws ProblemsError with exit code 2 when the disk is too small, 1 when a build fails, naming its log.
 */
export async function ensureNats(options: BuildOptions): Promise<string> {
  const folder = join(options.root, 'test/nats');
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  const programs = await ensurePrograms(
    {
      name: 'nats',
      goMod: read('go.mod'),
      inputs: [read('go.sum')],
      packages: { 'nats-server': 'github.com/nats-io/nats-server/v2' },
      folder: () => Promise.resolve(folder),
      minutes: 1,
      gib: { build: 0.3, modules: 0.2, programs: 0.1 },
    },
    options,
  );
  return programs['nats-server'];
}
