import { EmittingTestRunner, type TestRunnerOptions, type UnsubscribeFn } from 'jest-runner';
import type { Test, TestEvents } from '@jest/test-result';
import type { TestWatcher } from 'jest-watcher';
import { Queue } from './queue.ts';
import { TestProcess } from './test-process.ts';

type Listener = (data: never) => void | Promise<void>;

/**
 * jest's runner for tests that run as they stand: long-lived Node processes, each taking one file after another, so that
 * modules are loaded once per process and not once per file (docs/adr/0029).
 */
export default class Runner extends EmittingTestRunner {
  readonly #listeners = new Map<keyof TestEvents, Set<Listener>>();

  override async runTests(tests: Test[], watcher: TestWatcher, { serial }: TestRunnerOptions): Promise<void> {
    const { seed, showSeed, maxWorkers, rootDir } = this._globalConfig;
    const queue = new Queue(tests, rootDir, showSeed === true ? seed : undefined);
    const processes = Array.from({ length: serial ? 1 : Math.min(maxWorkers, tests.length) }, (_, number) =>
      this.#runFrom(queue, number, watcher),
    );
    await Promise.all(processes);
  }

  override on<Name extends keyof TestEvents>(
    name: Name,
    listener: (data: TestEvents[Name]) => void | Promise<void>,
  ): UnsubscribeFn {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => {
      listeners.delete(listener);
    };
  }

  /** Runs files until none is left, in one process as long as it is fit for it. */
  async #runFrom(queue: Queue, number: number, watcher: TestWatcher): Promise<void> {
    const emit = this.#emit.bind(this);
    const worker = new TestProcess(this._globalConfig, (name, data) => void emit(name, data));
    try {
      for (let test = queue.take(number); test !== undefined; test = queue.take(number)) {
        if (watcher.isInterrupted()) break;
        await emit('test-file-start', [test]);
        const outcome = await worker.run(test);
        if (outcome.result === undefined) await emit('test-file-failure', [test, outcome.error]);
        else await emit('test-file-success', [test, outcome.result]);
      }
    } finally {
      await worker.end();
    }
  }

  async #emit<Name extends keyof TestEvents>(name: Name, data: TestEvents[Name]): Promise<void> {
    for (const listener of this.#listeners.get(name) ?? []) await listener(data as never);
  }
}
