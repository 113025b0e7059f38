/**
 * What `@jest/globals` is in a process of the runner (`worker.ts` redirects the import). A module shared by test files is
 * loaded once, so the exports are live bindings that every file sets anew.
 */
import type * as Jest from '@jest/globals';
import { ModernFakeTimers } from '@jest/fake-timers';
import type { Config } from '@jest/types';
import { ModuleMocker } from 'jest-mock';

type Globals = Omit<typeof Jest, 'jest'>;

const timeoutKey = Symbol.for('TEST_TIMEOUT_SYMBOL');
const mocker = new ModuleMocker(globalThis);
let timers: ModernFakeTimers | undefined;

function fakeTimers(): ModernFakeTimers {
  if (timers === undefined) throw new Error('jest: no test file runs in this process');
  return timers;
}

/** The parts of the jest object that need no module registry: modules are Node's own here and cannot be mocked. */
export const jest = {
  fn: mocker.fn.bind(mocker),
  spyOn: mocker.spyOn.bind(mocker),
  restoreAllMocks: () => {
    mocker.restoreAllMocks();
  },
  setTimeout: (milliseconds: number) => {
    Reflect.set(globalThis, timeoutKey, milliseconds);
  },
  useFakeTimers: (config?: Config.FakeTimersConfig) => {
    // Node itself uses nextTick, of this very object: faked, it would stop streams, and be counted as a timer of the test.
    fakeTimers().useFakeTimers({ ...config, doNotFake: [...(config?.doNotFake ?? []), 'nextTick'] });
  },
  useRealTimers: () => {
    fakeTimers().useRealTimers();
  },
  advanceTimersByTime: (milliseconds: number) => {
    fakeTimers().advanceTimersByTime(milliseconds);
  },
  getTimerCount: () => fakeTimers().getTimerCount(),
};

export let expect: Globals['expect'];
export let it: Globals['it'];
export let test: Globals['test'];
export let describe: Globals['describe'];
export let beforeAll: Globals['beforeAll'];
export let beforeEach: Globals['beforeEach'];
export let afterAll: Globals['afterAll'];
export let afterEach: Globals['afterEach'];

/** Gives the importers of this module the functions of one test file. */
export function setGlobals(globals: Globals): void {
  ({ expect, it, test, describe, beforeAll, beforeEach, afterAll, afterEach } = globals);
}

/** Before a test file. */
export function startMocks(config: Config.ProjectConfig): void {
  timers = new ModernFakeTimers({ global: globalThis, config });
}

/** After a test file: what it replaced by jest's own means is itself again. */
export function endMocks(): void {
  timers?.dispose();
  mocker.restoreAllMocks();
  Reflect.deleteProperty(globalThis, timeoutKey);
}
