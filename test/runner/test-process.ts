import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Test, TestEvents } from '@jest/test-result';
import type { Config } from '@jest/types';
import type { Outcome, Report, RunFile } from './messages.ts';

const worker = new URL('worker.ts', import.meta.url);

/** A process that holds more than this, in bytes, takes no other file: modules that were loaded are never unloaded. */
const enoughMemory = 900 * 2 ** 20;

/** Within a step's time-out the process itself ends it; one that has no turn to do so is ended so many milliseconds later. */
const graceOf = (limit: number) => Math.max(2_000, limit);

type Emit = <Name extends 'test-case-start' | 'test-case-result'>(name: Name, data: TestEvents[Name]) => void;

/** One process at a time that runs test files; another takes its place when it died, was blocked or is no longer fit. */
export class TestProcess {
  readonly #globalConfig: Config.GlobalConfig;
  readonly #emit: Emit;
  #child: ChildProcess | undefined;

  constructor(globalConfig: Config.GlobalConfig, emit: Emit) {
    this.#globalConfig = globalConfig;
    this.#emit = emit;
  }

  async run(test: Test): Promise<Outcome> {
    const child = (this.#child ??= start());
    return new Promise((resolve) => {
      let step = 'the file while it loads';
      let blocked: string | undefined;
      let watchdog: NodeJS.Timeout | undefined;
      const watch = (limit: number) => {
        clearTimeout(watchdog);
        watchdog = setTimeout(
          () => {
            blocked = `${step} kept its process busy for more than ${String(limit / 1000)} s, its time-out, without a turn of the event loop`;
            child.kill('SIGKILL');
          },
          limit + graceOf(limit),
        );
      };
      const finish = (outcome: Outcome) => {
        clearTimeout(watchdog);
        child.off('message', onReport).off('exit', onExit);
        resolve(outcome);
      };
      const onReport = (report: Report) => {
        if (report.kind === 'step') {
          ({ step } = report);
          watch(report.limit);
        } else if (report.kind === 'case-start') this.#emit('test-case-start', [test.path, report.info]);
        else if (report.kind === 'case-result') this.#emit('test-case-result', [test.path, report.result]);
        else {
          finish(report.outcome);
          if (report.spoiled || report.memory > enoughMemory) void this.end();
        }
      };
      const onExit = (code: number | null, signal: string | null) => {
        this.#child = undefined;
        const message =
          blocked ??
          `the process ended with ${code === null ? String(signal) : `exit code ${String(code)}`} during ${step}`;
        finish({ error: { message, stack: `Error: ${message}` } });
      };
      child.on('message', onReport).on('exit', onExit);
      watch(60_000);
      child.send({
        path: test.path,
        globalConfig: this.#globalConfig,
        config: test.context.config,
      } satisfies RunFile);
    });
  }

  /** Lets the process end; it has ended when the promise is fulfilled. */
  async end(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.connected !== true) return;
    const exited = once(child, 'exit');
    child.disconnect();
    await exited;
  }
}

function start(): ChildProcess {
  return fork(worker, {
    serialization: 'advanced',
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}
