import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePrograms } from './go-build.ts';
import type { BuildOptions } from './go-build.ts';

/**
 * gRPC's own interop client and server in Go, pinned by go.mod: static programs that run on the host and in any pod.
 * Their flags and cases: google.golang.org/grpc/interop/client; `client --server_host=H --server_port=P
 * --test_case=empty_unary` ends with 0 when the case passes.
 * @throws ProblemsError with exit code 2 when the disk is too small, 1 when a build fails, naming its log.
 */
export async function ensureInterop(
  options: BuildOptions,
): Promise<Readonly<Record<'interop-client' | 'interop-server', string>>> {
  const folder = join(options.root, 'test/peers');
  return ensurePrograms(
    {
      name: 'interop',
      goMod: readFileSync(join(folder, 'go.mod'), 'utf8'),
      inputs: [readFileSync(join(folder, 'go.sum'), 'utf8')],
      packages: {
        'interop-client': 'google.golang.org/grpc/interop/client',
        'interop-server': 'google.golang.org/grpc/interop/server',
      },
      folder: () => Promise.resolve(folder),
      minutes: 2,
      gib: { build: 0.5, modules: 0.3, programs: 0.1 },
    },
    options,
  );
}
