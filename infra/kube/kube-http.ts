import type { KubeConfig } from '@kubernetes/client-node';
import type { OutgoingHttpHeaders } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { RequestOptions } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProblemsError } from '../../core/problem.ts';
import { text } from './kube-object.ts';

export interface KubeRequestOptions {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
  /** Whether the answer is plain text, such as a log, and is returned unparsed. @default false */
  readonly plain?: boolean;
  /** How long transient failures are retried, in milliseconds. @default 60 seconds */
  readonly retryMs?: number;
  readonly signal?: AbortSignal;
}

/** An error answer of the API server: the request and the server's reason. */
export class KubeError extends ProblemsError {
  /** HTTP status code. */
  readonly status: number;
  /** The server's own message. */
  readonly reason: string;

  constructor(cluster: string, request: string, status: number, reason: string) {
    super([{ where: `cluster ${cluster}`, what: `its API server refused ${request}: ${reason}` }], 1);
    this.name = 'KubeError';
    this.status = status;
    this.reason = reason;
  }
}

const requestTimeoutMs = 30_000;
const defaultRetryMs = 60_000;
const firstPauseMs = 200;
const longestPauseMs = 5_000;

/**
 * Requests to one API server, with the credentials of a kubeconfig's current context. Transient failures (429, 5xx,
 * connection lost, a webhook that does not answer yet) are retried with growing pauses.
 */
export class KubeHttp {
  /** The cluster's name in the mesh. */
  readonly cluster: string;
  readonly config: KubeConfig;
  /** The file that `config` was read from; undefined when it was made in memory. */
  readonly kubeconfig: string | undefined;
  #agent: Agent | undefined;

  constructor(cluster: string, config: KubeConfig, kubeconfig?: string) {
    this.cluster = cluster;
    this.config = config;
    this.kubeconfig = kubeconfig;
  }

  /** The API server's URL. */
  get server(): string {
    return this.config.getCurrentCluster()?.server ?? '';
  }

  /**
   * Sends a request and returns the parsed answer.
   * @throws KubeError when the server refuses; ProblemsError (exit 1) when it cannot be reached.
   */
  async request(method: string, path: string, options: KubeRequestOptions = {}): Promise<unknown> {
    const deadline = Date.now() + (options.retryMs ?? defaultRetryMs);
    for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, longestPauseMs)) {
      const answer = await this.#send(method, path, options).catch((error: unknown) => {
        options.signal?.throwIfAborted();
        return this.#unreachable(error);
      });
      if (!(answer instanceof Error)) {
        if (answer.status < 400) return options.plain ? answer.body : parse(answer.body);
        const message = text(parse(answer.body), 'message') ?? `HTTP status ${answer.status}`;
        const failure = new KubeError(this.cluster, `${method} ${path}`, answer.status, message);
        const transient = answer.status === 429 || answer.status >= 500;
        if (!transient || Date.now() + pause > deadline) throw failure;
      } else if (Date.now() + pause > deadline) throw answer;
      await sleep(pause, undefined, options.signal ? { signal: options.signal } : {});
    }
  }

  async #send(
    method: string,
    path: string,
    options: KubeRequestOptions,
  ): Promise<{ status: number; body: string }> {
    const url = new URL(`${this.server.replace(/\/$/, '')}${path}`);
    for (const [key, value] of Object.entries(options.query ?? {})) url.searchParams.set(key, value);
    const auth: RequestOptions = {};
    await this.config.applyToHTTPSOptions(auth);
    const body = options.body === undefined ? undefined : JSON.stringify(options.body);
    const timeout = AbortSignal.timeout(requestTimeoutMs);
    const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
    return new Promise((resolve, reject) => {
      const sent = httpsRequest(
        url,
        {
          ...auth,
          method,
          signal,
          agent: this.#keepAlive(auth),
          headers: {
            ...(auth.headers as OutgoingHttpHeaders | undefined),
            accept: options.plain ? '*/*' : 'application/json',
            ...(body !== undefined && {
              'content-type': options.contentType ?? 'application/json',
              'content-length': Buffer.byteLength(body),
            }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => {
            chunks.push(chunk);
          });
          response.on('error', reject);
          response.on('end', () => {
            resolve({
              status: response.statusCode ?? 0,
              body: Buffer.concat(chunks).toString('utf8'),
            });
          });
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }

  /** Keeps connections open, because a run makes hundreds of small requests. With a proxy, its agent is used unchanged. */
  #keepAlive(auth: RequestOptions): RequestOptions['agent'] {
    if (this.config.getCurrentCluster()?.proxyUrl) return auth.agent;
    const { ca, cert, key, servername, rejectUnauthorized } = auth;
    this.#agent ??= new Agent({
      keepAlive: true,
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(servername !== undefined && { servername }),
      ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
    });
    return this.#agent;
  }

  #unreachable(error: unknown): ProblemsError {
    const cause = error as Error;
    const timedOut = cause.name === 'AbortError' || cause.name === 'TimeoutError';
    const why = timedOut ? `no answer within ${requestTimeoutMs / 1000} s` : cause.message || cause.name;
    return new ProblemsError(
      [
        {
          where: `cluster ${this.cluster}`,
          what: `its API server ${this.server} cannot be reached: ${why}`,
          fix: 'start the cluster or correct the address in the kubeconfig, then run the command again',
        },
      ],
      1,
    );
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return { message: body.trim().slice(0, 500) };
  }
}
