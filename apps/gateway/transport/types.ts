/** Names in lower case and values, in the order of the wire; values of names that end in `-bin` are base64. */
export type MetadataPairs = readonly (readonly [name: string, value: string])[];

/** A gRPC client for one address, which moves bytes: it knows no message types. */
export interface Transport {
  /**
   * Starts a call. Every failure, one of the arguments included, is told by {@link CallListener.end}, and never before
   * this method has returned.
   * @param path - '/pkg.Service/Method'
   */
  call(path: string, options: CallOptions, listener: CallListener): Call;
  /**
   * Connects ahead of the first call, unless there is a connection. It takes as long as the transport's limit for a
   * connection at most.
   * @returns why there is none, for logs; undefined when there is one
   */
  connect(): Promise<string | undefined>;
  /** Takes no new calls (UNAVAILABLE), waits for those in flight, however long they take, and closes. */
  drain(): Promise<void>;
  /** Ends every call in flight with UNAVAILABLE and closes the connections. */
  close(): void;
}

export interface CallOptions {
  /** Sent with the request. Names that HTTP/2 or gRPC reserve end the call with INTERNAL. */
  readonly metadata: MetadataPairs;
  /**
   * When the call ends with DEADLINE_EXCEEDED at the latest, and is taken back from the peer, which does not learn of it before. Milliseconds
   * since the epoch; Infinity for never.
   */
  readonly deadline: number;
}

/** What becomes of a call. */
export interface CallListener {
  /** The answer's initial metadata: at most once, before any message. */
  header(metadata: MetadataPairs): void;
  /** One message, as often as the service sent one: a unary method's single answer is for the caller to check. */
  message(bytes: Uint8Array): void;
  /** Part of a message of so many bytes has come, and is held until it is whole. Told anew with each part. */
  awaits?(length: number): void;
  /** The next message may be sent: after {@link Call.send} returned false. */
  writable(): void;
  /** Exactly once, and the last. */
  end(status: CallStatus): void;
  /**
   * One of the others threw, which ended the call: this is the last then. Must not throw itself: who calls is a socket,
   * which other calls share.
   */
  thrown(error: unknown): void;
}

export interface CallStatus {
  /** A code of gRPC; one that gRPC does not define is UNKNOWN (2). */
  readonly code: number;
  /** The service's words, or the transport's: those name addresses and are for logs. */
  readonly message: string;
  readonly trailers: MetadataPairs;
  /** Who says so: the service (or a proxy that speaks gRPC), or this transport for want of an answer. */
  readonly from: 'peer' | 'transport';
  /** Set when this transport took no message as long as the service sent. */
  readonly reason?: 'tooLong';
}

export interface Call {
  /**
   * Sends a message. It is not copied when it is large: leave its bytes alone.
   * @returns false when the peer takes no more for now: wait for {@link CallListener.writable}
   */
  send(message: Uint8Array): boolean;
  /** No more messages will be sent. */
  endSend(): void;
  /** Holds messages back, the peer's too: it gets no flow-control window beyond what it has. */
  pause(): void;
  resume(): void;
  /** Ends the call with CANCELLED, for the peer too. Does nothing when it has ended. */
  cancel(): void;
}
