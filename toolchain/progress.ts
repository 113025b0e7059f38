/** What a running build has told so far, for people. */
export interface BuildProgress {
  /** Takes a line of `go`'s output. */
  readonly take: (line: string) => void;
  /** Call when the dependencies are known. @param packages How many have to be compiled. */
  readonly compiling: (packages: number) => void;
}

export interface BuildProgressOptions {
  readonly set: string;
  /** Duration of a first build on two cores. */
  readonly expectedMinutes: number;
  readonly report: (line: string) => void;
  /** Milliseconds, any origin. @default Date.now */
  readonly now?: () => number;
  /** Least time between two reports, in milliseconds. @default 5000 */
  readonly intervalMs?: number;
}

/** Counts the modules that `go list` fetches and the packages that `go install -v` compiles, and tells how far it is. */
export function trackBuild(options: BuildProgressOptions): BuildProgress {
  const now = options.now ?? Date.now;
  const started = now();
  let lastReport = started;
  let modules = 0;
  let done = 0;
  let total: number | undefined;
  const say = (what: string) => {
    lastReport = now();
    const elapsed = formatDuration(lastReport - started);
    options.report(`tools: ${options.set}: ${what}, ${elapsed} of about ${options.expectedMinutes} min`);
  };
  return {
    compiling: (packages) => {
      total = packages;
      say(`${packages} ${packages === 1 ? 'package' : 'packages'} to compile`);
    },
    take: (line) => {
      if (line.startsWith('go: downloading ')) modules++;
      else if (total !== undefined && packageLine.test(line)) done++;
      else return;
      if (now() - lastReport < (options.intervalMs ?? 5000)) return;
      if (total === undefined) say(`modules fetched: ${modules}`);
      else say(`compiled ${Math.min(done, total)} of ${total} packages (${percent(done, total)} %)`);
    },
  };
}

/** `go install -v` prints an import path a line. */
const packageLine = /^[\w.~-]+(\/[\w.~-]+)*$/;

/** Whole percent, below 100 until the programs are linked, which comes last and is no package of its own. */
function percent(done: number, total: number): number {
  return Math.min(99, Math.floor((100 * done) / Math.max(1, total)));
}

/** `42 s`, `3 min 5 s`. */
export function formatDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
