import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { identify } from '../core/process-identity.ts';
import { waitFor } from '../core/wait.ts';
import { problemOf } from '../infra/testing/problems.ts';
import { nodeFolder, nodeLogs, nodePaths } from './node/spec.ts';
import { whileDaemonsRun } from './watch.ts';

let stateDir = '';
let node: ChildProcess | undefined;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'watch-'));
});
afterEach(async () => {
  if (node?.exitCode === null) {
    node.kill('SIGKILL');
    await once(node, 'exit');
  }
  node = undefined;
  rmSync(stateDir, { recursive: true });
});

/** A node in that this is its only daemon; the pauses before its restarts are short. */
function startNode(name: string, script: string): void {
  const [folder, logs] = [nodeFolder(stateDir, name), nodeLogs(stateDir, name)];
  for (const path of [folder, logs]) mkdirSync(path, { recursive: true });
  const { daemons, process: record } = nodePaths(folder);
  const module = (file: string) => JSON.stringify(new URL(`node/${file}`, import.meta.url).href);
  const program = `
    import { DaemonStates } from ${module('daemon-states.ts')};
    import { Supervisor } from ${module('supervisor.ts')};
    const [daemons, logs, script] = process.argv.slice(1);
    const states = new DaemonStates(daemons, console.error);
    const supervisor = new Supervisor({ logs, env: { PATH: process.env.PATH }, states, delayMs: () => 20 });
    supervisor.start({ name: 'coredns', command: 'sh', args: ['-c', script], needsApi: true });`;
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program];
  node = spawn(process.execPath, [...flags, daemons, logs, script], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  writeFileSync(record, JSON.stringify(identify(node.pid ?? 0)));
}

const waiting = (signal: AbortSignal) =>
  waitFor({ what: 'gateways', timeoutMs: 50_000, signal }, () => ({ done: false, because: 'no address' }));
const until = new AbortController().signal;

test('a daemon that keeps ending ends what waits for others, with its exit code and the end of its log', async () => {
  startNode('west', 'echo "reading the Corefile"; echo "Corefile:3: unknown property" >&2; exit 3');
  const log = join(nodeLogs(stateDir, 'west'), 'coredns.log');
  expect(
    await problemOf(whileDaemonsRun({ stateDir, nodes: ['east', 'west'], signal: until }, waiting)),
  ).toEqual({
    exitCode: 1,
    message: [
      'coredns of node west: keeps ending; the last time it ended with exit code 3; ' +
        `fix: the last lines of its log stand below, the whole of it in ${log}; ` +
        'correct the cause, and start the node anew by `npm run down` and `npm run up`',
      ...['1', '2', '3'].flatMap(() => ['    reading the Corefile', '    Corefile:3: unknown property']),
    ].join('\n'),
  });
});

test('so does one whose program is not there', async () => {
  startNode('east', 'exec /no/such/program');
  const { message } = await problemOf(whileDaemonsRun({ stateDir, nodes: ['east'], signal: until }, waiting));
  expect(message).toMatch(/^coredns of node east: keeps ending; the last time it ended with exit code 127; /);
  expect(message).toMatch(/\n {4}sh: .*\/no\/such\/program: not found$/);
});

test('a daemon that kept ending before does not end it: its cause may have been corrected', async () => {
  const { daemons, process: record } = nodePaths(nodeFolder(stateDir, 'east'));
  mkdirSync(nodeFolder(stateDir, 'east'), { recursive: true });
  writeFileSync(daemons, JSON.stringify({ coredns: { restarts: 9, lastExit: 'ended with exit code 3' } }));
  writeFileSync(record, JSON.stringify(identify(process.pid)));
  const unlessEnded = (signal: AbortSignal) => {
    signal.throwIfAborted();
    return Promise.resolve(7);
  };
  expect(await whileDaemonsRun({ stateDir, nodes: ['east'], signal: until }, unlessEnded)).toBe(7);
});

test('what ends before any does is as it is: a value, an error, an interruption', async () => {
  const run = <T>(work: (signal: AbortSignal) => Promise<T>, signal = until) =>
    whileDaemonsRun({ stateDir, nodes: ['east'], signal }, work);
  expect(await run(() => Promise.resolve(7))).toBe(7);
  await expect(run(() => Promise.reject(new Error('of its own')))).rejects.toThrow('of its own');
  const stop = new AbortController();
  const stopped = run(waiting, stop.signal);
  stop.abort(new Error('stopped by SIGINT'));
  await expect(stopped).rejects.toMatchObject({
    name: 'AbortError',
    cause: { message: 'stopped by SIGINT' },
  });
});
