import { request as httpRequest } from 'node:http';
import type { Agent } from 'node:http';
import { canonical } from './canonical.ts';
import type { Json } from './canonical.ts';
import { framed } from './framed.ts';
import { watched } from './metadata.ts';
import type { Metadata } from './metadata.ts';
import type { TestRequest } from './requests/request.ts';

/** What came back; status 0 when it was no HTTP. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  /** The body in a form that is equal for equal JSON, of a stream its messages and its error; undefined when it is none. */
  readonly json: Json | undefined;
  /** The metadata that the request watches. */
  readonly metadata?: Metadata;
}

const limitMs = 10_000;

/** Sends a request as it stands and reads its answer. */
export function ask(address: string, asked: TestRequest, agent: Agent): Promise<Answer> {
  const [host = '', port] = address.split(':');
  const { method, target, body } = asked;
  const headers: Record<string, number | string | string[]> = {
    ...(body === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    ...asked.headers,
  };
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { host, port, method, path: target, headers, agent, timeout: limitMs },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('error', reject);
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const status = response.statusCode ?? 0;
          const json = status === 200 && target.startsWith('/v1/streams/') ? framed(text) : canonical(text);
          const metadata = asked.watch && watched(asked.watch, text, response);
          resolve({ status, text, json, ...(metadata && { metadata }) });
        });
      },
    );
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${target}: no answer within ${limitMs} ms`)));
    sent.on('error', (error: NodeJS.ErrnoException) => {
      // What came is no response of HTTP.
      if (error.code?.startsWith('HPE_')) resolve({ status: 0, text: error.message, json: undefined });
      else reject(error);
    });
    sent.end(body);
  });
}
