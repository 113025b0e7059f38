import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { ProblemsError } from '../../core/problem.ts';
import { run } from '../../core/run.ts';
import { cached } from '../../toolchain/cache.ts';
import { ensurePip, installWheels } from '../../toolchain/wheels.ts';

export interface PythonOptions {
  readonly cacheDir: string;
  readonly report: (line: string) => void;
}

/** A program that comes as Python wheels. */
export interface PythonProgram {
  readonly name: string;
  /** Text of a pip requirements file: all the wheels, with a hash for each. */
  readonly requirements: string;
  /** The least version of Python that they take, such as `3.11`. */
  readonly python: string;
}

/** How such a program is started: arguments of its own follow. */
export interface StartedByPython {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Fetches a program with pip into the user's cache, once for each version of Python.
 * @throws ProblemsError with exit code 2 when the machine's Python is too old, 1 when pip fails
 */
export async function ensurePython(program: PythonProgram, options: PythonOptions): Promise<StartedByPython> {
  const { name, requirements } = program;
  const command = await ensurePip(options);
  const ask = 'import sys; print("%d.%d" % sys.version_info[:2])';
  const version = (await run(command, ['-c', ask], { timeoutMs: 60_000 })).stdout.trim();
  const minor = (each: string) => Number(each.split('.')[1]);
  if (minor(version) < minor(program.python)) {
    const allowed = `${program.python} or newer`;
    throw new ProblemsError([{ where: name, what: "python3's version", received: version, allowed }], 2);
  }
  const key = createHash('sha256')
    .update(JSON.stringify([requirements, version, process.arch]))
    .digest('hex');
  const entry = {
    folder: join(options.cacheDir, 'tools'),
    name: `${name}-${key.slice(0, 16)}`,
    holds: [`bin/${name}`],
  };
  const folder = await cached(entry, async (scratch) => {
    options.report(`tools: fetching ${name}, with pip`);
    await installWheels(command, requirements, scratch);
  });
  return { command, args: [join(folder, 'bin', name)], env: { PYTHONPATH: folder } };
}
