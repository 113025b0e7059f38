import type { IncomingMessage } from 'node:http';

/** How the messages of a stream are written into one response. */
export interface StreamFormat {
  readonly headers: Readonly<Record<string, string>>;
  /** One message's JSON, which has no line breaks. */
  message(json: string | Uint8Array): string;
  /** The last of it, with the google.rpc.Status of an error. */
  end(status: string | undefined): string;
  /** What shows a silent stream to be alive. */
  readonly keepAlive: string | undefined;
}

/** The id of the last event of a stream, of a good end and of an error. */
const lastEventId = 'end';

/**
 * Whether a browser asks for what comes after the last event: 204 tells it to ask no more.
 * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html, "reestablish the connection".
 */
export function isAfterEnd({ headers }: IncomingMessage): boolean {
  return headers['last-event-id'] === lastEventId;
}

/** No proxy on the way may keep or hold back what is still going on. */
const live = { 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' };

/**
 * Lines of `{"result": MESSAGE}`, the last one `{"error": STATUS}` when the call failed, so that one cannot be taken
 * for the other; and events, whose type says the same.
 * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export const formats: Readonly<Record<'application/x-ndjson' | 'text/event-stream', StreamFormat>> = {
  'application/x-ndjson': {
    headers: { 'content-type': 'application/x-ndjson', ...live },
    message: (json) => `{"result":${textOf(json)}}\n`,
    end: (status) => (status === undefined ? '' : `{"error":${status}}\n`),
    keepAlive: undefined,
  },
  'text/event-stream': {
    headers: { 'content-type': 'text/event-stream', ...live },
    message: (json) => `data: ${textOf(json)}\n\n`,
    // A browser calls again after every end, with the id of the last event: this one tells it from a broken connection.
    end: (status) =>
      status === undefined
        ? `id: ${lastEventId}\nevent: end\ndata: {"code":0,"message":"","details":[]}\n\n`
        : `id: ${lastEventId}\nevent: error\ndata: ${status}\n\n`,
    keepAlive: ': keep-alive\n\n',
  },
};

/** The text of a codec's JSON. */
export function textOf(json: string | Uint8Array): string {
  return typeof json === 'string' ? json : utf8.decode(json);
}

const utf8 = new TextDecoder();
