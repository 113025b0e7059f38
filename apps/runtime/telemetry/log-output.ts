import { symbols } from 'pino';
import type { DestinationStream } from 'pino';

/** pino's level `warn`: lines of this level or higher are written at once, together with the lines before them. */
const urgent = 40;

/** Buffered lines are written when they reach this length, or this many milliseconds after the first. */
const most = { characters: 4_096, ms: 100 } as const;

/**
 * Writes the lines of a log to a file descriptor, in their order. A write costs more than formatting a line, so lines below
 * warn are buffered for at most 100 ms. The buffer is also written when the process ends, by exit or by an uncaught error.
 * Only when the process is killed (by SIGKILL, by a second SIGTERM, or by V8 when its heap is full), lines below warn of the
 * last 100 ms are lost.
 */
export class LogOutput implements DestinationStream {
  /** Makes pino set {@link lastLevel}. */
  readonly [symbols.needsMetadataGsym] = true;
  /** Level of the next line to write. */
  lastLevel = 0;
  readonly #destination: DestinationStream;
  #lines = '';
  #timer: NodeJS.Timeout | undefined;

  /** @param destination - writes each line at once */
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

  /** Writes the buffered lines; the name is pino's. */
  flushSync(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines === '') return;
    const lines = this.#lines;
    this.#lines = '';
    this.#destination.write(lines);
  }
}
