import { memoryBudget } from './exchange/budget/memory.ts';
import { streamBytes } from './exchange/budget/account.ts';
import { inflaterBytes } from './exchange/guard/inflate.ts';

/** The variables of the gateway's environment that share its memory; undefined where the environment does not set them. */
export interface GivenSizes {
  readonly MAX_BYTES?: number | undefined;
  readonly BODY_LIMIT_BYTES?: number | undefined;
  readonly ANSWER_LIMIT_BYTES?: number | undefined;
  readonly MAX_STREAMS?: number | undefined;
}

export interface Sizes {
  /** What the process may hold for all clients. Bytes. @default - an eighth of its memory */
  readonly maxBytes: number;
  /** A body, line or message of a client, after inflation. Bytes. @default 4194304, or what one client may hold */
  readonly bodyBytes: number;
  /** A message of a service. Bytes. @default 4194304, or what one client may hold */
  readonly answerBytes: number;
  /** @default 500, or as many as `maxBytes` has room for */
  readonly maxStreams: number;
  /** A line for each given size that `maxBytes` has no room for. */
  readonly problems: readonly string[];
}

const defaults = { message: 4 * 2 ** 20, streams: 500 };

/**
 * The sizes that fit each other. One client may hold half of all, with its stream's own bytes and, for what it sends, what
 * inflates it: a longer message would never be taken, however little else there is to do. A default gives way to that, so
 * that a gateway starts with any memory; a size that someone chose does not.
 * @param memory - of the process, for the default of MAX_BYTES. Bytes. @default - as `memoryBudget`
 */
export function sizesOf(given: GivenSizes, memory?: number): Sizes {
  const maxBytes = given.MAX_BYTES ?? memoryBudget(memory);
  const half = Math.floor(maxBytes / 2);
  const mostBody = Math.max(0, half - streamBytes - inflaterBytes);
  const mostAnswer = Math.max(0, half - streamBytes);
  const mostStreams = Math.floor(maxBytes / streamBytes);
  const share = 'exceeds what a single client may use, half of MAX_BYTES less';
  const problem = (name: keyof GivenSizes, most: number, what: string): readonly string[] => {
    const received = given[name] ?? 0;
    return received <= most ? [] : [`${name}: ${what}; received ${received}; allowed at most ${most}`];
  };
  return {
    maxBytes,
    bodyBytes: given.BODY_LIMIT_BYTES ?? Math.min(defaults.message, mostBody),
    answerBytes: given.ANSWER_LIMIT_BYTES ?? Math.min(defaults.message, mostAnswer),
    maxStreams: given.MAX_STREAMS ?? Math.min(defaults.streams, mostStreams),
    problems: [
      ...problem(
        'BODY_LIMIT_BYTES',
        mostBody,
        `${share} ${streamBytes + inflaterBytes} for a stream and gzip`,
      ),
      ...problem('ANSWER_LIMIT_BYTES', mostAnswer, `${share} ${streamBytes} for a stream`),
      ...problem(
        'MAX_STREAMS',
        mostStreams,
        `exceeds what MAX_BYTES has room for, ${streamBytes} for each stream`,
      ),
    ],
  };
}
