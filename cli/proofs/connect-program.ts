import { z } from 'zod';

/** A port that a probe connects to: its proxy adds the identity and mutual TLS. */
export interface Connection {
  readonly host: string;
  readonly port: number;
}

/** How the last connection to a port went. */
export type ConnectionAnswer = z.infer<typeof answerSchema>;

const answerSchema = z.object({
  /** `open`: it stayed open after a byte was sent. `answered`: the server answered that byte. `closed`: neither. */
  outcome: z.enum(['open', 'answered', 'closed']),
  /** Whether the server spoke first. */
  greeted: z.boolean(),
  /** Why it was closed; empty otherwise. */
  why: z.string(),
});

const answersWord = 'connections: ';

/** How long the program waits, in milliseconds. */
export const waits = {
  /** For configuration on its way to the probe's proxy and the callee's. */
  limit: 45_000,
  /** For a greeting of the server. */
  greeting: 2_000,
  /** After its byte, where the server greeted it. */
  greeted: 2_000,
  /** After its byte, where it did not: longer than a proxy tries to connect. */
  quiet: 11_000,
};

/**
 * What a probe runs. Its own proxy accepts every connection, so that shows nothing: what comes after does. A proxy that reaches no server
 * closes the connection, after 10 s at most (Istio's `connectTimeout`); and one whose policy does not let the caller through does, at the
 * first byte (`source/extensions/filters/network/rbac/rbac_filter.cc` of Envoy). So the program waits for a greeting, sends one
 * line feed, and looks whether the connection lasts: 2 s after a greeting, which only the server can have sent, and else until
 * no proxy waits any more. Most servers wait for the rest of a message that begins so.
 */
export const connectProgram = `
const net = require('node:net');
const [targets, waits] = process.argv.slice(1).map((arg) => JSON.parse(arg));
const deadline = Date.now() + waits.limit;
const once = ({ host, port }) => new Promise((resolve) => {
  let [greeted, said, timer] = [false, false, undefined];
  const socket = net.connect(port, host);
  const end = (outcome, why) => {
    clearTimeout(timer);
    socket.destroy();
    resolve({ outcome, greeted, why });
  };
  const after = (ms, what) => { clearTimeout(timer); timer = setTimeout(what, ms); };
  const say = () => {
    said = true;
    socket.write('\\n');
    after(greeted ? waits.greeted : waits.quiet, () => end('open', ''));
  };
  after(5000, () => end('closed', 'no connection within 5 s'));
  socket.on('connect', () => after(waits.greeting, say));
  socket.on('data', () => {
    if (said) return end('answered', '');
    if (greeted) return;
    greeted = true;
    say();
  });
  socket.on('error', (error) => end('closed', error.code || error.message));
  socket.on('close', () => end('closed', 'the connection was closed'));
});
const make = async (target) => {
  for (;;) {
    const answer = await once(target);
    if (answer.outcome !== 'closed' || Date.now() > deadline) return answer;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
};
Promise.all(targets.map(make)).then((answers) => console.log('${answersWord}' + JSON.stringify(answers)));
`;

/** The answers that a probe printed; undefined when it printed something else. */
export function readConnections(printed: string): readonly ConnectionAnswer[] | undefined {
  if (!printed.startsWith(answersWord)) return undefined;
  try {
    return z.array(answerSchema).parse(JSON.parse(printed.slice(answersWord.length)));
  } catch {
    return undefined;
  }
}
