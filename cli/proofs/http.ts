import { request as httpRequest } from 'node:http';

/** A GET request to an edge, through an ingress gateway. */
export interface Read {
  readonly path: string;
  /** The host it asks for. @default - the gateway's own address */
  readonly host?: string | undefined;
}

/** An HTTP answer, as far as a proof looks. */
export interface Answer {
  /** 0 when there was none. */
  readonly status: number;
  /** `<cluster>/<pod>` of the service that answered; empty where the answer is a proxy's or the gateway's own. */
  readonly servedBy: string;
  /** The body, or why there was no answer. */
  readonly body: string;
  /** Whether a server behind the first proxy answered: that then adds how long it took (`x-envoy-upstream-service-time`). */
  readonly upstream: boolean;
}

/** What Envoy says where a policy denies a request (`source/extensions/filters/http/rbac/rbac_filter.cc`). */
export const denial = 'RBAC: access denied';

const timeoutMs = 5_000;

/** More of a body than this is not read. Characters. */
const mostBody = 2 ** 22;

/** One real call. Never throws for a call that fails: that is an answer, too. */
export async function call(base: string, { path, host }: Read, signal?: AbortSignal): Promise<Answer> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const until = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
  try {
    const answer = await new Promise<Answer>((resolve, reject) => {
      let fail: (error: Error) => void = reject;
      const headers = host === undefined ? {} : { host };
      // Not fetch, which sets the header host itself. A connection for each call, so that each is balanced anew.
      httpRequest(new URL(path, base), { headers, signal: until, agent: false }, (response) => {
        const servedBy = [response.headers['x-served-by'] ?? []].flat()[0] ?? '';
        const upstream = response.headers['x-envoy-upstream-service-time'] !== undefined;
        let body = '';
        // Once there is a head, there is an answer: the body may be a stream of events, or a file of any size.
        const end = () => {
          resolve({ status: response.statusCode ?? 0, servedBy, body, upstream });
          response.destroy();
        };
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          body += part;
          if (body.length >= mostBody) end();
        });
        response.on('end', end).on('error', end);
        fail = end;
      })
        .on('error', (error) => {
          fail(error);
        })
        .end();
    });
    signal?.throwIfAborted();
    return answer;
  } catch (error) {
    signal?.throwIfAborted();
    const body = error instanceof Error ? error.message : String(error);
    return { status: 0, servedBy: '', body, upstream: false };
  }
}

/** The cluster of an `x-served-by` value. */
export function clusterOf(servedBy: string): string {
  return servedBy.split('/')[0] ?? '';
}

/** An answer in a few words, for a message. */
export function describe({ status, servedBy, body }: Answer): string {
  return status === 0
    ? `no answer (${body})`
    : `${status} ${servedBy === '' ? 'of no service' : `served by ${servedBy}`}: ${body.slice(0, 160)}`;
}
