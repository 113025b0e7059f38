/** An HTTP answer, as far as a proof looks. */
export interface Answer {
  /** 0 when there was none. */
  readonly status: number;
  /** `<cluster>/<pod>` of the service that answered. */
  readonly servedBy: string;
  readonly inventoryServedBy: string;
  /** The JSON body, or the text when it is none, or why there was no answer. */
  readonly body: unknown;
}

const timeoutMs = 5_000;

/** One real call. Never throws for a call that fails: that is an answer, too. */
export async function call(
  base: string,
  request: { readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: object },
  signal?: AbortSignal,
): Promise<Answer> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(new URL(request.path, base), {
      method: request.method,
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      ...(request.body && {
        body: JSON.stringify(request.body),
        headers: { 'content-type': 'application/json' },
      }),
    });
    return {
      status: response.status,
      servedBy: response.headers.get('x-served-by') ?? '',
      inventoryServedBy: response.headers.get('x-inventory-served-by') ?? '',
      body: parse(await response.text()),
    };
  } catch (error) {
    signal?.throwIfAborted();
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    return {
      status: 0,
      servedBy: '',
      inventoryServedBy: '',
      body: cause instanceof Error ? cause.message : String(cause),
    };
  }
}

/** The cluster of an `x-served-by` value. */
export function clusterOf(servedBy: string): string {
  return servedBy.split('/')[0] ?? '';
}

/** An answer in a few words, for a message. */
export function describe(answer: Answer): string {
  const body = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
  return answer.status === 0
    ? `no answer (${body})`
    : `${answer.status} served by ${answer.servedBy === '' ? 'nobody named' : answer.servedBy}: ${body.slice(0, 160)}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
