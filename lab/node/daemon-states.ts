import { writeFileAtomic } from '../../core/files.ts';

/** A daemon's state, as ../parts.ts reads it. */
export interface DaemonState {
  readonly pid: number | undefined;
  /** Number of restarts in a row after short runs. */
  readonly restarts: number;
  readonly lastExit: string | undefined;
}

/** A daemon that ran this long had started successfully: its end is a new failure, and the count starts anew. */
const cameUpMs = 60_000;

/** The count of restarts for the next start of a daemon that ended. */
export function nextRestarts(restarts: number, ranMs: number): number {
  return ranMs >= cameUpMs ? 1 : restarts + 1;
}

/** How long to wait before a start: doubles with each restart, up to ten seconds. */
export function restartDelayMs(restarts: number): number {
  return Math.min(10_000, 250 * 2 ** restarts);
}

/** The daemons' states, also written to a file for other processes. A failed write is logged, so a full disk does not stop a node. */
export class DaemonStates {
  readonly #file: string;
  readonly #log: (line: string) => void;
  readonly #states = new Map<string, DaemonState>();

  constructor(file: string, log: (line: string) => void) {
    this.#file = file;
    this.#log = log;
  }

  get(daemon: string): DaemonState | undefined {
    return this.#states.get(daemon);
  }

  set(daemon: string, state: DaemonState): void {
    this.#states.set(daemon, state);
    try {
      writeFileAtomic(this.#file, JSON.stringify(Object.fromEntries(this.#states), null, 2));
    } catch (error) {
      this.#log(`state of ${daemon}: ${(error as Error).message}`);
    }
  }
}
