import { status } from '@grpc/grpc-js';
import { StatusError } from '../../runtime/status.ts';
import { readLines } from './body.ts';
import type { Exchange } from './exchange.ts';
import { failWith } from './guard/alone.ts';
import type { Call } from '../transport/types.ts';

/** Sends each line of the request's body as a message, no faster than the service takes them. */
export function sendLines(exchange: Exchange, limit: number): void {
  const { request, response, match } = exchange;
  const { route, path, query } = match;
  const call: Call = exchange.open();
  let number = 0;
  let sent = 0;
  const lines = readLines(request, response, limit, exchange.account, {
    line: (line) => {
      if (exchange.over) return false;
      number++;
      let message: Uint8Array;
      try {
        message = route.codec.decode({ path, query, body: line });
      } catch (error) {
        exchange.fail(atLine(error, number));
        return false;
      }
      exchange.touch();
      const ready = call.send(message);
      sent += message.length;
      exchange.account.hold('sent', exchange.kept(sent) + (ready ? 0 : message.length));
      return ready;
    },
    end: () => {
      if (!exchange.over) call.endSend();
    },
    failed: (error) => {
      failWith(exchange, error);
    },
  });
  exchange.onWritable(() => {
    exchange.account.hold('sent', exchange.kept(sent));
    lines.resume();
  });
}

function atLine(error: unknown, number: number): unknown {
  if (!(error instanceof StatusError) || error.code !== status.INVALID_ARGUMENT) return error;
  return new StatusError(error.code, `line ${number}: ${error.message}`, error.metadata);
}
