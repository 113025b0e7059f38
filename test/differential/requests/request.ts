/** One request, as it goes over the wire. */
export interface TestRequest {
  readonly method: string;
  /** Path and query, raw. */
  readonly target: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** Names whose metadata has to be the same as well: what the backend received, and what came back. */
  readonly watch?: readonly string[];
}

export const get = (target: string): TestRequest => ({ method: 'GET', target });
const send =
  (method: string) =>
  (target: string, body: string | Uint8Array): TestRequest => ({ method, target, body });
export const [post, put, patch] = [send('POST'), send('PUT'), send('PATCH')] as const;
