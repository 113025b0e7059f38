import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../core/run.ts';
import { cached, isCached } from '../../toolchain/cache.ts';
import { checkDiskSpace } from '../../toolchain/disk-space.ts';
import { buildKey } from '../../toolchain/build.ts';
import { ensureGo, requiredGo } from '../../toolchain/go.ts';
import { formatDuration, trackBuild } from '../../toolchain/progress.ts';

/** Where programs are built and kept, as `thisWorkspace()` of cli tells. */
export interface BuildOptions {
  /** The project's root. */
  readonly root: string;
  /** Built programs are kept in its folder `tools`, for all checkouts. */
  readonly cacheDir: string;
  /** Folder for a log a build, `build-<name>.log`. */
  readonly logsDir: string;
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** Programs of one Go module that are built together. */
export interface GoPrograms<P extends string> {
  readonly name: string;
  /** The text of the go.mod that pins them. */
  readonly goMod: string;
  /** All else that decides what they are: go.sum, sources, generators. */
  readonly inputs: readonly string[];
  /** The programs' file names, and the package of each. */
  readonly packages: Readonly<Record<P, string>>;
  /** Makes the module's folder ready to build in, inside a scratch folder or not. */
  readonly folder: (scratch: string) => Promise<string>;
  /** First build on two cores. */
  readonly minutes: number;
  /** What it adds to Go's build and module caches, and to ours. */
  readonly gib: { readonly build: number; readonly modules: number; readonly programs: number };
}

/** Longest time for one run of go: the first fetches modules and compiles all of grpc-go. */
const limitMs = 20 * 60_000;

/**
 * The programs' paths: built once, then taken from the cache.
 * @throws ProblemsError with exit code 2 when the disk is too small, 1 when a build fails, naming its log.
 */
export async function ensurePrograms<P extends string>(
  set: GoPrograms<P>,
  options: BuildOptions,
): Promise<Readonly<Record<P, string>>> {
  const go = await ensureGo({ ...options, required: requiredGo([set.goMod]) });
  const programs = Object.keys(set.packages) as P[];
  const flags = ['-trimpath', '-ldflags', '-s -w'];
  const packages = Object.entries(set.packages).flat() as string[];
  const key = buildKey([
    set.goMod,
    ...set.inputs,
    ...flags,
    JSON.stringify(go.env),
    go.identity,
    ...packages,
  ]);
  const entry = { folder: join(options.cacheDir, 'tools'), name: `${set.name}-${key}`, holds: programs };
  if (!isCached(entry)) {
    options.report(
      `tools: building ${set.name}, once: about ${set.minutes} min on 2 cores when nothing is cached`,
    );
    checkDiskSpace(`building ${set.name}`, [
      { path: options.cacheDir, gib: set.gib.programs },
      { path: go.buildCache, gib: set.gib.build },
      { path: go.moduleCache, gib: set.gib.modules },
    ]);
  }
  const folder = await cached(entry, async (scratch) => {
    const logFile = join(options.logsDir, `build-${set.name}.log`);
    rmSync(logFile, { force: true });
    const started = Date.now();
    const progress = trackBuild({ set: set.name, expectedMinutes: set.minutes, report: options.report });
    const sources = join(scratch, 'sources');
    mkdirSync(sources);
    const cwd = await set.folder(sources);
    const runGo = (args: readonly string[]) =>
      run(go.command, args, {
        cwd,
        env: go.env,
        logFile,
        timeoutMs: limitMs,
        onLine: progress.take,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
    // Listing what has to be compiled fetches the modules.
    const wanted = Object.values<string>(set.packages);
    const stale = await runGo([
      'list',
      '-deps',
      ...flags,
      '-f',
      '{{if .Stale}}{{.ImportPath}}{{end}}',
      ...wanted,
    ]);
    progress.compiling(stale.stdout.split('\n').filter((line) => line !== '').length);
    for (const program of programs)
      await runGo(['build', '-v', ...flags, '-o', join(scratch, program), set.packages[program]]);
    rmSync(sources, { recursive: true });
    options.report(`tools: ${set.name}: built in ${formatDuration(Date.now() - started)}`);
  });
  return Object.fromEntries(programs.map((program) => [program, join(folder, program)])) as Record<P, string>;
}
