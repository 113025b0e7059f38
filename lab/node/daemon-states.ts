import { writeFileAtomic } from '../../core/files.ts';

/** A daemon's state as ../parts.ts reads it. */
export interface DaemonState {
  readonly pid: number | undefined;
  /** Starts in a row that did not last. */
  readonly restarts: number;
  readonly lastExit: string | undefined;
}

/** A daemon that ran so long has come up: what ends it then is a new trouble. */
const cameUpMs = 60_000;

/** The count of restarts for the next start of a daemon that ended. */
export function nextRestarts(restarts: number, ranMs: number): number {
  return ranMs >= cameUpMs ? 1 : restarts + 1;
}

/** How long to wait before a start: ever longer, up to ten seconds. */
export function restartDelayMs(restarts: number): number {
  return Math.min(10_000, 250 * 2 ** restarts);
}

/** The daemons' states, kept in a file for others. A node goes on when its disk is full: it logs that. */
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
