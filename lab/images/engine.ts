import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../core/run.ts';
import { ensureHostPackages } from '../host/packages.ts';

/** One image to be built from a folder with a Containerfile, and saved as a docker archive. */
export interface BuildRequest {
  readonly context: string;
  readonly reference: string;
  /** File to be written. */
  readonly archive: string;
  /** The image that the Containerfile starts from, if it is not empty. */
  readonly base?: { readonly reference: string; readonly archive: string };
}

/** A program and its arguments. */
export type Step = readonly [program: string, ...args: string[]];

/** What builds images: both read the same Containerfile. */
export interface Engine {
  readonly name: 'buildah' | 'docker';
  /** The programs to run for a build, one after another. */
  readonly steps: (request: BuildRequest) => readonly Step[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * buildah where it is installed, else docker where its engine answers, else buildah, installed.
 * @param scratch Folder for the engine's own state, removed after the build.
 */
export async function chooseEngine(
  scratch: string,
  options: { readonly report: (line: string) => void; readonly signal?: AbortSignal },
): Promise<Engine> {
  if (await answers('buildah', ['--version'])) return buildah(scratch);
  if (await answers('docker', ['info'])) return docker;
  await ensureHostPackages({ ...options, packages: ['buildah'] });
  return buildah(scratch);
}

async function answers(program: string, args: readonly string[]): Promise<boolean> {
  try {
    await run(program, args, { timeoutMs: 20_000 });
    return true;
  } catch {
    return false;
  }
}

/**
 * buildah with a storage of its own, so that the user's images are neither used nor touched. Times are those of the
 * epoch and the format is OCI's, which records neither host names nor container ids: same files, same digest.
 */
export function buildah(scratch: string): Engine {
  const storage = ['--storage-driver', 'vfs', '--root', `${scratch}/storage`, '--runroot', `${scratch}/run`];
  const fixed = ['--isolation', 'chroot', '--layers=false', '--identity-label=false', '--timestamp', '0'];
  return {
    name: 'buildah',
    env: { CONTAINERS_STORAGE_CONF: `${scratch}/storage.conf`, TMPDIR: `${scratch}/tmp` },
    steps: ({ context, reference, archive, base }) => [
      ...(base === undefined
        ? []
        : [['buildah', ...storage, 'pull', '--quiet', `docker-archive:${base.archive}`] as const]),
      [
        'buildah',
        ...storage,
        'build',
        ...fixed,
        '--pull-never',
        '--format',
        'oci',
        '--file',
        join(context, 'Containerfile'),
        '--tag',
        reference,
        context,
      ],
      ['buildah', ...storage, 'push', '--quiet', reference, `docker-archive:${archive}:${reference}`],
      ['buildah', ...storage, 'rmi', '--force', reference],
    ],
  };
}

/** docker with its own storage; file times, and so digests, are the machine's. */
export const docker: Engine = {
  name: 'docker',
  env: { SOURCE_DATE_EPOCH: '0' },
  steps: ({ context, reference, archive, base }) => [
    ...(base === undefined ? [] : [['docker', 'load', '--quiet', '--input', base.archive] as const]),
    ['docker', 'build', '--file', join(context, 'Containerfile'), '--tag', reference, context],
    ['docker', 'save', '--output', archive, reference],
  ],
};

/** Builds and saves one image. */
export async function buildImage(
  engine: Engine,
  scratch: string,
  request: BuildRequest,
  options: { readonly logFile: string; readonly signal?: AbortSignal },
): Promise<void> {
  mkdirSync(join(scratch, 'tmp'), { recursive: true });
  // The host's storage settings would ask for what the vfs driver does not know.
  writeFileSync(join(scratch, 'storage.conf'), '[storage]\ndriver = "vfs"\n');
  for (const [program, ...args] of engine.steps(request)) {
    await run(program, args, {
      env: engine.env,
      logFile: options.logFile,
      timeoutMs: 10 * 60_000,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  }
}
