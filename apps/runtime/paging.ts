import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { create, toBinary } from '@bufbuild/protobuf';
import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { statusError } from './status.ts';

const usual = 50;
const most = 200;

/** The fields of a request for a page. Its proto has to constrain page_size to 0 or more. */
interface Paged {
  readonly pageSize: number;
  readonly pageToken: string;
}

/** The requested page. */
export interface Page {
  /** Number of items. */
  readonly size: number;
  /** The key after which the page begins; undefined for the first page. */
  readonly after: string | undefined;
  /** Returns the next_page_token of a page that ends with this key; it is valid for requests whose other fields are the same. */
  readonly tokenAfter: (key: string) => string;
}

/**
 * Reads page_size and page_token: 0 means the default of 50, more than 200 means 200, and the size may change from page to
 * page; no other field may.
 * Source: AIP-158.
 * @param schema - of the request
 * @throws StatusError INVALID_ARGUMENT for a token this server did not issue, or one for a request with other fields
 */
export function readPage<I extends DescMessage>(schema: I, request: MessageShape<I> & Paged): Page {
  const size = Math.min(request.pageSize === 0 ? usual : request.pageSize, most);
  const { pageToken } = request;
  const asked = digestOf(schema, request);
  const tokenAfter = (key: string) => seal(schema, Buffer.concat([asked, Buffer.from(key)]));
  if (pageToken === '') return { size, after: undefined, tokenAfter };
  const opened = unseal(schema, pageToken);
  if (opened === undefined) {
    throw refused(
      'not a token that this method returned; allowed the next_page_token of the previous page, or empty',
    );
  }
  if (!opened.subarray(0, digestBytes).equals(asked)) {
    throw refused('belongs to a request with other fields; only page_size may change from page to page');
  }
  return { size, after: opened.subarray(digestBytes).toString(), tokenAfter };
}

function refused(why: string) {
  return statusError(status.INVALID_ARGUMENT, `page_token: ${why}`);
}

const digestBytes = 8;

/** Digest of all fields that have to stay the same from page to page. */
function digestOf(schema: DescMessage, request: object): Buffer {
  const same = { ...request, pageSize: 0, pageToken: '' } as MessageInitShape<DescMessage>;
  return createHash('sha256')
    .update(toBinary(schema, create(schema, same)))
    .digest()
    .subarray(0, digestBytes);
}

const cipher = 'aes-128-gcm';
const [ivBytes, tagBytes] = [12, 16];

/**
 * AIP-158 requires opaque tokens, so that no caller depends on their content. The key is not secret, and is the same in
 * every replica and cluster: a token grants nothing, it only says where a page begins.
 */
function keyOf(schema: DescMessage): Buffer {
  return createHash('sha256').update(`page token of ${schema.typeName}`).digest().subarray(0, 16);
}

function seal(schema: DescMessage, plain: Buffer): string {
  const iv = randomBytes(ivBytes);
  const sealing = createCipheriv(cipher, keyOf(schema), iv);
  const sealed = [sealing.update(plain), sealing.final()];
  return Buffer.concat([iv, sealing.getAuthTag(), ...sealed]).toString('base64url');
}

/** The sealed content; undefined for a token that {@link seal} did not produce for this request type. */
function unseal(schema: DescMessage, token: string): Buffer | undefined {
  const bytes = Buffer.from(token, 'base64url');
  const head = ivBytes + tagBytes;
  if (bytes.length <= head + digestBytes || bytes.toString('base64url') !== token) return undefined;
  const opening = createDecipheriv(cipher, keyOf(schema), bytes.subarray(0, ivBytes));
  opening.setAuthTag(bytes.subarray(ivBytes, head));
  const plain = opening.update(bytes.subarray(head));
  try {
    return Buffer.concat([plain, opening.final()]);
  } catch {
    return undefined; // the authentication tag does not match
  }
}
