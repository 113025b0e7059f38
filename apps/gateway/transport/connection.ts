import { connect, constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, Settings } from 'node:http2';
import { Bag } from './bag.ts';
import type { Placed } from './bag.ts';
import { resetName } from './call-status.ts';
import type { CallStatus } from './types.ts';

export interface ConnectionOptions {
  /** `host:port`, looked up at every connect. */
  readonly address: string;
  /** For the TCP connection and the peer's SETTINGS together. Milliseconds. */
  readonly connectTimeoutMs: number;
  /** A PING is sent when calls are in flight and nothing has come for this long, up to twice as long. Milliseconds. */
  readonly keepaliveMs: number;
  /** The connection is dead when a PING is not answered within this. Milliseconds. */
  readonly keepaliveTimeoutMs: number;
}

/** Whose calls go over a connection. */
export interface ConnectionOwner {
  /** There is room for calls: it is ready, a call ended, or the peer allows more. */
  room(connection: Connection): void;
  /** It takes no more calls, though some may be in flight on it. @param failure - set when it never was ready */
  gone(connection: Connection, failure: string | undefined): void;
  /** Nothing is left of it. */
  closed(connection: Connection): void;
  /** The peer wants fewer PINGs. */
  tooManyPings(): void;
}

/** A stream's user, which hears that the peer never saw its request. */
export interface StreamUser extends Placed {
  readonly streamId: number | undefined;
  /** @param seen - whether it reached the peer, which turned it away */
  refused(seen: boolean): void;
  finish(status: CallStatus): void;
}

/** What a peer may send on one stream before it waits; also the most that a paused call holds. Bytes. */
export const streamWindow = 256 * 1024;

/** node:http2 gives this back as data comes in, so it only has to cover a turn of the event loop. Bytes. */
const connectionWindow = 16 * 1024 * 1024;

/** Streams are odd numbers up to 2^31 - 1; a connection that comes near is replaced. */
const lastStreamId = 0x7fff_0000;

/**
 * How many streams this side may reset on a connection. A server cuts a connection, with all calls on it, when its client resets many
 * streams (CVE-2023-44487): Envoy after 250 without an answer, nghttp2 after 1,000. Here each reset is the wish of a client of its own, and
 * the calls of the others have to go on. So a connection takes a call only while it could reset all that are on it.
 */
const mostResets = 240;

const sessionOptions = {
  settings: { enablePush: false, initialWindowSize: streamWindow },
  // Calls are bounded by their own limits; node's would refuse streams while large messages are on their way.
  maxSessionMemory: Number.MAX_SAFE_INTEGER,
  // Metadata may repeat any name.
  strictSingleValueFields: false,
};

const requestOptions = { endStream: false } as const;

/** One HTTP/2 connection: when it takes calls, and what becomes of them when it does not. */
export class Connection {
  readonly session: ClientHttp2Session;
  readonly #options: ConnectionOptions;
  readonly #owner: ConnectionOwner;
  readonly #users = new Bag<StreamUser>();
  #state: 'connecting' | 'ready' | 'leaving' | 'lost' = 'connecting';
  #reason: string | undefined;
  #mostStreams = 0;
  #connectTimer: NodeJS.Timeout | undefined;
  #pingTimer: NodeJS.Timeout | undefined;
  #resets = 0;
  #reads = 0;
  #readsAtTimer = 0;

  constructor(options: ConnectionOptions, owner: ConnectionOwner) {
    this.#options = options;
    this.#owner = owner;
    this.session = connect(`http://${options.address}`, sessionOptions);
    this.session.once('connect', () => {
      if (!this.session.destroyed) this.session.setLocalWindowSize(connectionWindow);
    });
    this.session.on('remoteSettings', (settings: Settings) => {
      this.#mostStreams = settings.maxConcurrentStreams ?? Infinity;
      if (this.#state === 'connecting') this.#ready();
      else if (this.hasRoom) owner.room(this);
    });
    this.session.on('goaway', (code: number, lastId: number, data: Buffer | undefined) => {
      this.#goaway(code, lastId, data);
    });
    this.session.on('error', (error: Error) => {
      this.#reason ??= describe(error);
    });
    this.session.once('close', () => {
      this.#leave('lost', 'closed by the peer');
      owner.closed(this);
    });
    this.#connectTimer = setTimeout(() => {
      this.#destroy(`not established within ${options.connectTimeoutMs} ms`);
    }, options.connectTimeoutMs);
  }

  get connecting(): boolean {
    return this.#state === 'connecting';
  }

  get hasRoom(): boolean {
    const { closed, destroyed } = this.session;
    // node:http2 ends the streams of a session that the peer broke before it says that the session is over.
    const { size } = this.#users;
    const hasRoom = size < this.#mostStreams && size + this.#resets < mostResets;
    return this.#state === 'ready' && hasRoom && !closed && !destroyed;
  }

  /** Why the connection ended, or is ending; undefined while it stands. */
  get lost(): string | undefined {
    return this.#state === 'lost' || this.session.destroyed
      ? (this.#reason ?? 'closed by the peer')
      : undefined;
  }

  /** Opens a stream. There has to be room. @throws Error when node:http2 does not take the headers, or the session is over */
  open(user: StreamUser, headers: readonly string[]): ClientHttp2Stream {
    this.#users.add(user);
    if (this.#pingTimer === undefined) this.#armPing();
    const stream = this.session.request(headers, requestOptions);
    if ((stream.id ?? 0) >= lastStreamId) this.#retire();
    return stream;
  }

  /** A stream is about to be reset by this side. */
  resets(): void {
    this.#resets += 1;
    // From here on, another connection has more room.
    if (this.#resets === mostResets / 2) this.#retire();
  }

  /** The user's stream has ended. */
  release(user: StreamUser): void {
    this.#users.delete(user);
    if (this.hasRoom) this.#owner.room(this);
  }

  /** Something came from the peer. */
  heard(): void {
    this.#reads += 1;
  }

  /** Ends the calls with a status, and the connection. */
  close(status: CallStatus): void {
    for (const user of this.#users.list()) user.finish(status);
    this.#destroy('closed');
  }

  /** Takes no more calls, and ends with the last one. */
  #retire(): void {
    this.session.close();
    this.#leave('leaving', undefined);
  }

  #ready(): void {
    clearTimeout(this.#connectTimer);
    this.#state = 'ready';
    this.#owner.room(this);
  }

  #goaway(code: number, lastId: number, data: Buffer | undefined): void {
    const text = data === undefined ? '' : data.toString('latin1').replace(/[^\x20-\x7e]/g, '?');
    this.#reason = `GOAWAY ${resetName(code)}${text === '' ? '' : ` (${text})`}`;
    if (code === constants.NGHTTP2_ENHANCE_YOUR_CALM && text === 'too_many_pings') this.#owner.tooManyPings();
    this.#leave('leaving', undefined);
    // The peer has not looked at these and will not: they may go elsewhere. RFC 9113 section 6.8.
    for (const user of this.#users.list()) {
      if (user.streamId === undefined || user.streamId > lastId) user.refused(true);
    }
  }

  #destroy(reason: string): void {
    this.#reason = reason;
    this.session.destroy();
    this.#leave('lost', reason);
  }

  #leave(state: 'leaving' | 'lost', reason: string | undefined): void {
    const before = this.#state;
    if (before === 'lost') return;
    this.#state = state;
    this.#reason ??= reason;
    clearTimeout(this.#connectTimer);
    if (state === 'lost') clearTimeout(this.#pingTimer);
    if (before !== 'leaving') {
      this.#owner.gone(this, before === 'connecting' ? (this.#reason ?? 'closed by the peer') : undefined);
    }
  }

  #armPing(): void {
    this.#readsAtTimer = this.#reads;
    this.#pingTimer = setTimeout(() => {
      this.#pingTimer = undefined;
      if (this.#users.size === 0 || this.session.destroyed) return;
      if (this.#reads === this.#readsAtTimer) this.#ping();
      else this.#armPing();
    }, this.#options.keepaliveMs);
    this.#pingTimer.unref();
  }

  #ping(): void {
    const { keepaliveTimeoutMs } = this.#options;
    this.#pingTimer = setTimeout(() => {
      this.#destroy(`no answer to a PING within ${keepaliveTimeoutMs} ms`);
    }, keepaliveTimeoutMs);
    this.session.ping((error) => {
      if (error !== null || this.session.destroyed) return;
      clearTimeout(this.#pingTimer);
      this.#armPing();
    });
  }
}

/** An error of a socket or session in words: node puts those of several addresses into one without a message. */
function describe(error: Error): string {
  if (!(error instanceof AggregateError)) return error.message;
  return error.errors.map((one: unknown) => (one instanceof Error ? one.message : String(one))).join(', ');
}
