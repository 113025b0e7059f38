import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { nextRestarts, restartDelayMs, type DaemonStates } from './daemon-states.ts';
import type { Daemon } from './daemons.ts';

export interface SupervisorOptions {
  /** Folder with one log file per daemon. */
  readonly logs: string;
  /** The whole environment of the daemons. */
  readonly env: Readonly<Record<string, string>>;
  readonly states: DaemonStates;
  /** How long to wait before a start, in milliseconds, by the number of restarts in a row. @default restartDelayMs */
  readonly delayMs?: (restarts: number) => number;
}

/** Starts daemons, and each again whenever it ends. */
export class Supervisor {
  readonly #options: SupervisorOptions;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  start(daemon: Daemon, restarts = 0): void {
    const { logs, env, states, delayMs = restartDelayMs } = this.#options;
    const log = openSync(join(logs, `${daemon.name}.log`), 'a');
    const child = spawn(daemon.command, daemon.args, { env, stdio: ['ignore', log, log] });
    closeSync(log);
    states.set(daemon.name, { pid: child.pid, restarts, lastExit: states.get(daemon.name)?.lastExit });
    const started = performance.now();
    let ended = false;
    const restart = (why: string) => {
      if (ended) return;
      ended = true;
      states.set(daemon.name, { pid: undefined, restarts, lastExit: why });
      const next = nextRestarts(restarts, performance.now() - started);
      setTimeout(() => {
        this.start(daemon, next);
      }, delayMs(next));
    };
    child.on('error', (error) => {
      restart(error.message);
    });
    child.on('exit', (code, signal) => {
      restart(`ended with ${signal ?? `exit code ${code ?? '?'}`}`);
    });
  }
}
