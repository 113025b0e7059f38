import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { takesGzip } from '../exchange/accept.ts';
import { leftoverOf } from '../exchange/exchange.ts';
import { openApiOf } from './openapi.ts';
import type { OpenApiOptions } from './openapi.ts';
import { pageOf, pagePolicy } from './page.ts';
import { HttpError } from '../exchange/http-status.ts';

/** An answer that is always the same, made once. */
export interface Page {
  readonly path: string;
  /** @throws HttpError 405 */
  answer(request: IncomingMessage, response: ServerResponse): void;
}

/** `/openapi.json` and `/docs`, both of the same descriptors as the routes. */
export class Pages {
  readonly #pages: ReadonlyMap<string, Page>;

  constructor(options: OpenApiOptions) {
    const document = openApiOf(options);
    const pages = [
      page('/openapi.json', 'application/json', JSON.stringify(document), {}),
      page('/docs', 'text/html; charset=utf-8', pageOf(document), {
        'content-security-policy': pagePolicy,
        'referrer-policy': 'no-referrer',
      }),
    ];
    this.#pages = new Map(pages.map((each) => [each.path, each]));
  }

  /** @param target - of a request, in origin-form or absolute-form (RFC 9112, section 3.2) */
  find(target: string): Page | undefined {
    const path = /^(?:https?:\/\/[^/?#]*)?(\/[^?]*)/i.exec(target)?.[1];
    return path === undefined ? undefined : this.#pages.get(path);
  }
}

function page(path: string, type: string, text: string, more: Readonly<Record<string, string>>): Page {
  const plain = Buffer.from(text);
  const packed = gzipSync(plain);
  // Weak: the same for both encodings (RFC 9110, section 8.8.1).
  const etag = `W/"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`;
  const shared = {
    etag,
    'cache-control': 'no-cache',
    vary: 'accept-encoding',
    'x-content-type-options': 'nosniff',
    ...more,
  };
  return {
    path,
    answer: (request, response) => {
      const { method, headers } = request;
      const allow = 'GET, HEAD';
      if (method === 'OPTIONS') response.writeHead(204, { allow }).end();
      else if (method !== 'GET' && method !== 'HEAD') {
        const message = `method: ${method ?? ''} received; allowed here ${allow}`;
        throw new HttpError(405, status.UNIMPLEMENTED, message, { allow });
      } else if (isKnown(headers['if-none-match'], etag)) {
        response.writeHead(304, { ...shared, ...leftoverOf(request) }).end();
      } else {
        const gzip = takesGzip(headers);
        const body = gzip ? packed : plain;
        response
          .writeHead(200, {
            'content-type': type,
            'content-length': body.length,
            ...(gzip ? { 'content-encoding': 'gzip' } : {}),
            ...shared,
            ...leftoverOf(request),
          })
          .end(body);
      }
    },
  };
}

/** Source: RFC 9110, section 13.1.2: compared without the mark of weakness. */
function isKnown(given: string | undefined, etag: string): boolean {
  const tags = given?.split(',').map((each) => each.trim().replace(/^W\//, '')) ?? [];
  return tags.includes('*') || tags.includes(etag.replace(/^W\//, ''));
}
