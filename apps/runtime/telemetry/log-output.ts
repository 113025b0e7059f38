import { symbols } from 'pino';
import type { DestinationStream } from 'pino';

/** From this level of pino's on lines are written at once, with those before them: warn. */
const urgent = 40;

/** Lines are written together when they are this long, or so many milliseconds after the first. */
const most = { characters: 4_096, ms: 100 } as const;

/**
 * Lines of a log on their way to a file descriptor, in their order. A write costs more than making a line does, so that
 * lines below warn wait for each other: for 100 ms at most, and never beyond the end of the process, be it by exit or by
 * an error that nobody caught. What is lost are the lines below warn of the last 100 ms of a process that gets no say in
 * its end: by SIGKILL, by the second SIGTERM, or by V8 when its heap is full.
 */
export class LogOutput implements DestinationStream {
  /** Has pino set {@link lastLevel}. */
  readonly [symbols.needsMetadataGsym] = true;
  /** Level of the line that is about to be written. */
  lastLevel = 0;
  readonly #destination: DestinationStream;
  #lines = '';
  #timer: NodeJS.Timeout | undefined;

  /** @param destination - writes at once */
  constructor(destination: DestinationStream) {
    this.#destination = destination;
    process.on('exit', () => {
      this.flushSync();
    });
  }

  write(line: string): void {
    this.#lines += line;
    if (this.lastLevel >= urgent || this.#lines.length >= most.characters) {
      this.flushSync();
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.flushSync();
    }, most.ms).unref();
  }

  /** Writes what waits; pino's name for it. */
  flushSync(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines === '') return;
    const lines = this.#lines;
    this.#lines = '';
    this.#destination.write(lines);
  }
}
