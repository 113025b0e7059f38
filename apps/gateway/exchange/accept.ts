import type { IncomingHttpHeaders } from 'node:http';
import { status } from '@grpc/grpc-js';
import { HttpError } from './http-status.ts';

/** What an answer is written as. */
export type MediaType = 'application/json' | 'application/x-ndjson' | 'text/event-stream';

/**
 * The media type a client likes best of those on offer, the first of them when it likes all alike.
 * Source: RFC 9110, section 12.5.1.
 * @throws HttpError 406 when it takes none
 */
export function negotiate<T extends MediaType>(headers: IncomingHttpHeaders, offered: readonly T[]): T {
  const { accept } = headers;
  const [first] = offered;
  if (first !== undefined && (accept === undefined || accept === '*/*' || accept === first)) return first;
  const ranges = rangesOf(accept ?? '');
  let best: T | undefined;
  let most = 0;
  for (const type of offered) {
    const quality = qualityOf(ranges, type, `${type.slice(0, type.indexOf('/'))}/*`, '*/*');
    if (quality > most) [best, most] = [type, quality];
  }
  if (best !== undefined) return best;
  throw new HttpError(
    406,
    status.INVALID_ARGUMENT,
    `accept: ${JSON.stringify(accept)} received; allowed ${offered.join(', ')}`,
  );
}

/** Whether a client takes gzip (RFC 9110, section 12.5.3); not when it does not say. */
export function takesGzip(headers: IncomingHttpHeaders): boolean {
  const accepted = headers['accept-encoding'];
  if (typeof accepted !== 'string' || accepted === '') return false;
  return qualityOf(rangesOf(accepted), 'gzip', 'x-gzip', '*') > 0;
}

interface Range {
  readonly name: string;
  readonly quality: number;
}

function rangesOf(text: string): Range[] {
  return text.split(',').map((part) => {
    const [name = '', ...parameters] = part.split(';').map((each) => each.trim().toLowerCase());
    const given = parameters.find((each) => each.startsWith('q='))?.slice(2);
    const quality =
      given === undefined ? 1 : /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(given) ? Number(given) : 0;
    return { name, quality };
  });
}

/** By the most specific name that is there. */
function qualityOf(ranges: readonly Range[], ...names: readonly string[]): number {
  for (const name of names) {
    const range = ranges.find((each) => each.name === name);
    if (range !== undefined) return range.quality;
  }
  return 0;
}
