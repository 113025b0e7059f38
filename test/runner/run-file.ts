import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { BufferedConsole } from '@jest/console';
import type { SerializableError, TestResult } from '@jest/test-result';
import type { Circus, Config } from '@jest/types';
import { formatExecError } from 'jest-message-util';
import { endMocks, setGlobals, startMocks } from './globals.ts';
import { restoreWorld, takeWorld } from './isolation.ts';
import type { Outcome, Report, RunFile } from './messages.ts';

type Send = (report: Report) => void;

/** jest-circus as jest itself calls it; `runtime` and `environment` are what it uses of them. */
type TestFramework = (
  globalConfig: Config.GlobalConfig,
  config: Config.ProjectConfig,
  environment: object,
  runtime: object,
  path: string,
  send: (event: string, args: readonly [string, never]) => void,
) => Promise<TestResult>;

const require = createRequire(import.meta.url);
const { default: circus } = require('jest-circus/runner') as { default: TestFramework };

/** Milliseconds a file may take to load, and a test or hook that names no time of its own. */
const defaultLimit = 60_000;

/** Runs one test file in this process, reports its tests as they run, and its result when nothing of it is left. */
export async function runFile(file: RunFile, send: Send): Promise<void> {
  const { path, globalConfig, config } = file;
  const start = Date.now();
  const before = takeWorld();
  const stray: unknown[] = [];
  const onError = (error: unknown) => stray.push(error);
  process.on('uncaughtException', onError).on('unhandledRejection', onError);
  const realConsole = globalThis.console;
  const buffered = new BufferedConsole();
  globalThis.console = buffered;
  startMocks(config);
  let outcome: Outcome;
  try {
    const result = await circus(
      globalConfig,
      config,
      environment(send, globalConfig),
      runtime,
      path,
      (event, [, value]) => {
        if (event === 'test-case-start') send({ kind: 'case-start', info: value });
        if (event === 'test-case-result') send({ kind: 'case-result', result: withoutDetails(value) });
      },
    );
    outcome = { result };
  } catch (error) {
    outcome = { error: serializable(error) };
  }
  endMocks();
  globalThis.console = realConsole;
  send({ kind: 'step', step: 'what is left after its tests', limit: defaultLimit });
  const left = await restoreWorld(before);
  process.off('uncaughtException', onError).off('unhandledRejection', onError);
  if (outcome.result !== undefined) {
    const { result } = outcome;
    addErrors(result, [...stray.map(serializable), ...left.map(withoutStack)], file);
    complete(result, { path, start, config, buffered });
  }
  const spoiled = outcome.result === undefined || left.length > 0 || hasOwnProcess(path);
  send({ kind: 'done', outcome, memory: process.memoryUsage.rss(), spoiled });
}

/** A file that says so changes its process for good: no other file runs in it afterwards. */
function hasOwnProcess(path: string): boolean {
  return readFileSync(path, 'utf8').startsWith('/** @own-process ');
}

/** What circus asks of jest's module registry: here modules are Node's. */
const runtime = {
  /** A new instance for each file, so that no test, hook or handler of one file is known to the next. */
  requireInternalModule: (file: string): unknown => {
    Reflect.deleteProperty(require.cache, file);
    Reflect.deleteProperty(globalThis, Symbol.for('EVENT_HANDLERS'));
    return require(file);
  },
  requireModule: require,
  setGlobalsForRuntime: setGlobals,
  unstable_shouldLoadAsEsm: () => true,
  unstable_importModule: (file: string) => import(pathToFileURL(file).href),
  enterTestCode: () => undefined,
  leaveTestCode: () => undefined,
};

/** Tells the runner which step begins and how long it may take, so that one that blocks the process can be named. */
function environment(send: Send, { testTimeout = defaultLimit }: Config.GlobalConfig): object {
  return {
    global: globalThis,
    handleTestEvent: (event: Circus.Event, state: Circus.State) => {
      const limit = state.testTimeout;
      if (event.name === 'setup') send({ kind: 'step', step: 'the file while it loads', limit: testTimeout });
      if (event.name === 'test_fn_start')
        send({ kind: 'step', step: `"${fullName(event.test)}"`, limit: event.test.timeout ?? limit });
      if (event.name === 'hook_start')
        send({ kind: 'step', step: `${event.hook.type}()`, limit: event.hook.timeout ?? limit });
    },
  };
}

function fullName({ name, parent }: Circus.TestEntry): string {
  const names = [name];
  let block = parent;
  while (block.parent !== undefined) {
    names.unshift(block.name);
    block = block.parent;
  }
  return names.join(' ');
}

/** Errors of no test fail the file, shown as jest shows those of a suite. */
function addErrors(
  result: TestResult,
  errors: readonly SerializableError[],
  { path, globalConfig, config }: RunFile,
): void {
  const [first] = errors;
  if (first === undefined) return;
  result.testExecError ??= first;
  const shown = errors.map((error) => formatExecError(error, config, globalConfig, path));
  result.failureMessage = [result.failureMessage ?? '', ...shown].join('\n');
}

/** What jest's own runner adds to the result of circus. */
function complete(
  result: TestResult,
  {
    path,
    start,
    config,
    buffered,
  }: { path: string; start: number; config: Config.ProjectConfig; buffered: BufferedConsole },
): void {
  const end = Date.now();
  result.testResults = result.testResults.map(withoutDetails);
  result.testFilePath = path;
  result.leaks = false;
  result.skipped = result.testResults.length === result.numPendingTests;
  const printed = buffered.getBuffer();
  if (printed !== undefined) result.console = printed;
  if (config.displayName !== undefined) result.displayName = config.displayName;
  const runtimeMs = end - start;
  Object.assign(result.perfStats, {
    start,
    end,
    runtime: runtimeMs,
    slow: runtimeMs / 1000 > config.slowTestThreshold,
    loadTestEnvironmentStart: start,
    loadTestEnvironmentEnd: start,
    setupFilesStart: start,
    setupFilesEnd: start,
  });
}

/** The thrown values themselves may hold what no message between processes can carry; what is shown of them are strings. */
function withoutDetails<T extends { failureDetails?: unknown[] }>(result: T): T {
  return { ...result, failureDetails: [] };
}

function serializable(error: unknown): SerializableError {
  const { message, stack, code }: NodeJS.ErrnoException =
    error instanceof Error ? error : new Error(String(error));
  return { message, stack, code };
}

/** What is left behind has no place in a source. */
function withoutStack(message: string): SerializableError {
  return { message, stack: `Error: ${message}`, code: undefined };
}
