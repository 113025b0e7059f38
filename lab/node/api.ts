import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';

/** An answer of an API server; status 0 when it could not be reached. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

/** Sends a GET request to a node's API server as administrator. Never throws when the server does not answer. */
export function askApiServer(pki: string, address: string, path: string): Promise<ApiAnswer> {
  return new Promise((resolve) => {
    const failed = (error: Error) => {
      resolve({ status: 0, body: error.message });
    };
    const call = request(
      `https://${address}:6443${path}`,
      {
        ca: readFileSync(join(pki, 'ca.crt')),
        cert: readFileSync(join(pki, 'admin.crt')),
        key: readFileSync(join(pki, 'admin.key')),
        timeout: 5_000,
        agent: false,
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body });
        });
        response.on('error', failed);
      },
    );
    call.on('error', failed);
    call.on('timeout', () => call.destroy(new Error('no answer within 5 s')));
    call.end();
  });
}
