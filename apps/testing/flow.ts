import type { Transport } from '../gateway/transport/types.ts';
import type { Upstreams } from '../gateway/transport/upstreams.ts';

/**
 * Goes to the gateway and back many times: whatever is not held back on other connections of this process moves meanwhile.
 * @param url - of the gateway
 */
export async function turns(url: string): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await (await fetch(`${url}/healthz`)).text();
}

/** What goes over the calls of a gateway, for tests of what waits where. */
export class Flow {
  /** Of messages that came from services. Bytes. */
  received = 0;
  /** Of messages that were sent to services. Bytes. */
  sent = 0;
  /** The most of them that were sent to a call in a row although it took no more. Bytes. */
  overrun = 0;
  readonly #held = Promise.withResolvers<undefined>();
  readonly #full = Promise.withResolvers<undefined>();

  /** Settles when the gateway first holds a service back: it takes no more messages from it. */
  get held(): Promise<undefined> {
    return this.#held.promise;
  }

  /** Settles when a service first takes no more. */
  get full(): Promise<undefined> {
    return this.#full.promise;
  }

  /** The upstreams, watched. */
  watch(upstreams: Upstreams): Upstreams {
    return { ...upstreams, transportOf: (service) => this.#transport(upstreams.transportOf(service)) };
  }

  #transport(transport: Transport): Transport {
    return {
      connect: () => transport.connect(),
      drain: () => transport.drain(),
      close: () => {
        transport.close();
      },
      call: (path, options, listener) => {
        let beyond: number | undefined;
        const call = transport.call(path, options, {
          header: (metadata) => {
            listener.header(metadata);
          },
          message: (bytes) => {
            this.received += bytes.length;
            listener.message(bytes);
          },
          writable: () => {
            beyond = undefined;
            listener.writable();
          },
          end: (ended) => {
            listener.end(ended);
          },
          thrown: (error) => {
            listener.thrown(error);
          },
        });
        return {
          send: (message) => {
            this.sent += message.length;
            if (beyond !== undefined) {
              beyond += message.length;
              this.overrun = Math.max(this.overrun, beyond);
            }
            const ready = call.send(message);
            if (!ready) {
              beyond ??= 0;
              this.#full.resolve(undefined);
            }
            return ready;
          },
          endSend: () => {
            call.endSend();
          },
          pause: () => {
            call.pause();
            this.#held.resolve(undefined);
          },
          resume: () => {
            call.resume();
          },
          cancel: () => {
            call.cancel();
          },
        };
      },
    };
  }
}
