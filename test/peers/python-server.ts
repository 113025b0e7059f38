import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../core/run.ts';
import { cached } from '../../toolchain/cache.ts';
import { ensureHostPackages } from '../../toolchain/packages.ts';
import { installWheels } from '../../toolchain/wheels.ts';
import { writeOciArchive } from './oci-archive.ts';
import type { PythonOptions } from './python.ts';

/** The distribution's: an image of another would need all of a build of its own. */
const python = '/usr/bin/python3';
const source = join(import.meta.dirname, 'python-server');

/**
 * Writes the image of a gRPC server in Python of some lines (python-server/server.py), which takes its port.
 * @throws ProblemsError (exit code 1) when a package cannot be installed
 */
export function writePythonServer(target: string, options: PythonOptions): Promise<void> {
  return writePythonImage(target, { 'server.py': join(source, 'server.py') }, options);
}

/**
 * Writes an image of programs in Python: the distribution's Python with the libraries that it loads, and grpcio's wheels.
 * @param programs - files of /app by their names there; the image runs the first
 * @throws ProblemsError (exit code 1) when a package cannot be installed
 */
export async function writePythonImage(
  target: string,
  programs: Readonly<Record<string, string>>,
  options: PythonOptions,
): Promise<void> {
  await ensureHostPackages({ ...options, packages: ['python3', 'python3-pip'] });
  const say = async (expression: string) =>
    (await run(python, ['-c', `import os, sys; print(${expression})`], { timeoutMs: 60_000 })).stdout.trim();
  const version = await say('"%d.%d" % sys.version_info[:2]');
  const program = await say('os.path.realpath(sys.executable)');
  const requirements = readFileSync(join(source, 'requirements.txt'), 'utf8');
  const key = createHash('sha256')
    .update(JSON.stringify([requirements, version]))
    .digest('hex')
    .slice(0, 16);
  const wheels = await cached(
    { folder: join(options.cacheDir, 'tools'), name: `grpcio-${key}`, holds: ['grpc/__init__.py'] },
    async (scratch) => {
      options.report('tools: fetching grpcio, with pip');
      await installWheels(python, requirements, scratch);
    },
  );
  const library = `/usr/lib/python${version}`;
  const loaded = [program, ...modulesIn(join(library, 'lib-dynload')), ...modulesIn(join(wheels, 'grpc'))];
  const files = {
    'usr/bin/python3': program,
    [library.slice(1)]: library,
    ...Object.fromEntries((await librariesOf(loaded)).map((path) => [path.slice(1), path])),
    'app/lib': wheels,
    ...Object.fromEntries(Object.entries(programs).map(([name, path]) => [`app/${name}`, path])),
  };
  await writeOciArchive(target, files, 1000, {
    entrypoint: [python, `/app/${Object.keys(programs)[0] ?? ''}`],
    env: { PYTHONPATH: '/app/lib', PYTHONDONTWRITEBYTECODE: '1' },
  });
}

/** Native modules in a folder and those below it. */
function modulesIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.so')).map((name) => join(folder, name));
}

/** The shared libraries that programs and modules load, with the loader, by the paths that they are looked for under. */
async function librariesOf(programs: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await run('ldd', [...programs], { timeoutMs: 60_000 });
  const paths = [...stdout.matchAll(/^\s+(?:\S+ => )?(\/\S+) \(0x/gm)].map(([, path]) => path!);
  return [...new Set(paths)];
}
