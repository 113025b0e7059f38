import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { pino } from 'pino';
import { LogOutput } from './log-output.ts';

describe('lines', () => {
  const written: string[] = [];
  const destination = { write: (lines: string) => written.push(lines) };
  const start = () => pino({ base: null, timestamp: false }, new LogOutput(destination));
  const line = (level: number, msg: string) => `${JSON.stringify({ level, msg })}\n`;

  beforeEach(() => {
    jest.useFakeTimers();
    written.length = 0;
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('are written together 100 ms after the first', () => {
    const log = start();
    log.info('one');
    jest.advanceTimersByTime(60);
    log.info('two');
    jest.advanceTimersByTime(39);
    expect(written).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(written).toEqual([line(30, 'one') + line(30, 'two')]);
    log.info('three');
    jest.advanceTimersByTime(100);
    expect(written.slice(1)).toEqual([line(30, 'three')]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test.each([
    ['warn', 40],
    ['error', 50],
    ['fatal', 60],
  ] as const)('are written before %s, which does not wait', (method, level) => {
    const log = start();
    log.info('one');
    log[method]('two');
    expect(written.join('')).toBe(line(30, 'one') + line(level, 'two'));
    expect(jest.getTimerCount()).toBe(0);
  });

  test('are written when they are 4 KiB', () => {
    const log = start();
    const long = 'x'.repeat(1_000);
    for (let index = 0; index < 4; index++) log.info(long);
    expect(written).toEqual([]);
    log.info(long);
    expect(written).toEqual([line(30, long).repeat(5)]);
  });
});

/** What a program that logs writes, and how it ends. */
async function run(code: string) {
  const source = `import { createLog } from ${JSON.stringify(import.meta.resolve('../log.ts'))};
const log = createLog({ app: 'test', cluster: 'east', pod: 'a', level: 'info' });
${code}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise((resolve) => {
    child.once('exit', (exitCode, signal) => {
      resolve(signal ?? exitCode);
    });
  });
  const output = await text(child.stdout);
  const lines = output.split('\n').flatMap((each) => {
    return each === '' ? [] : [JSON.parse(each) as { message: string; time: string }];
  });
  return { lines, messages: lines.map(({ message }) => message), ended: await ended };
}

test('each line says when it was written, also when several are of one millisecond', async () => {
  const code = `let now; Date.now = () => now; for (now of [1_000, 1_000, 1_001, 999]) log.info(String(now));`;
  expect((await run(code)).lines).toMatchObject([
    { message: '1000', time: '1970-01-01T00:00:01.000Z' },
    { message: '1000', time: '1970-01-01T00:00:01.000Z' },
    { message: '1001', time: '1970-01-01T00:00:01.001Z' },
    { message: '999', time: '1970-01-01T00:00:00.999Z' },
  ]);
});

describe('nothing is lost', () => {
  test.each([
    ['ends by itself', 'log.info("last");', 0],
    ['exits', 'log.info("last"); process.exit(3);', 3],
    ['throws what nobody catches', 'setImmediate(() => { log.info("last"); throw new Error("boom"); });', 1],
    ['rejects what nobody catches', 'log.info("last"); await Promise.reject(new Error("boom"));', 1],
  ])('when the program %s', async (_, code, ended) => {
    expect(await run(`log.info('first'); ${code}`)).toMatchObject({ messages: ['first', 'last'], ended });
  });

  test('up to a warning when it is killed', async () => {
    const code = `log.info('first'); log.warn('last'); log.info('lost'); process.kill(process.pid, 'SIGKILL');`;
    expect(await run(code)).toMatchObject({ messages: ['first', 'last'], ended: 'SIGKILL' });
  });

  test('of several logs, in their order', async () => {
    const code = `const other = createLog({ app: 'test', cluster: 'east', pod: 'a', level: 'info' });
      log.info('1'); other.info('2'); log.child({}).info('3'); other.error('4'); log.info('5');`;
    expect((await run(code)).messages).toEqual(['1', '2', '3', '4', '5']);
  });
});
