import { status } from '@grpc/grpc-js';
import { statusError } from './status.ts';

const usual = 50;
const most = 200;

/**
 * Reads page_size and page_token as AIP-158 says: 0 is the usual 50, more than 200 is read as 200.
 * @returns the number of items and the key after which the page begins, undefined for the first
 * @throws StatusError INVALID_ARGUMENT for a negative size or a token not from {@link pageToken}
 */
export function readPage(request: { readonly pageSize: number; readonly pageToken: string }): {
  readonly size: number;
  readonly after: string | undefined;
} {
  if (request.pageSize < 0) {
    throw statusError(status.INVALID_ARGUMENT, `page_size: ${request.pageSize} received; allowed 0 or more`);
  }
  const size = Math.min(request.pageSize === 0 ? usual : request.pageSize, most);
  if (request.pageToken === '') return { size, after: undefined };
  const after = Buffer.from(request.pageToken, 'base64url').toString();
  if (after === '' || pageToken(after) !== request.pageToken) {
    throw statusError(
      status.INVALID_ARGUMENT,
      'page_token: not one this method returned; allowed the next_page_token of the page before, or empty',
    );
  }
  return { size, after };
}

/** The token of the page that begins after a key. Opaque to callers, so that its form can change. */
export function pageToken(after: string): string {
  return Buffer.from(after).toString('base64url');
}
