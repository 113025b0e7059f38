import { z } from 'zod';
import type { ConnectionModel, MeshModel } from '../../../charts/model/mesh-model.ts';
import { calleeOf, titleOf } from '../edges.ts';
import type { Proof } from '../proof.ts';
import { limitMs, tryAll, type Answers } from './answers.ts';
import { inTheirName, type Target, type Trial } from './in-their-name.ts';

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

const answers: Answers<ConnectionAnswer> = { word: 'connections: ', schema: answerSchema };

/** How long the program waits, in milliseconds. */
const waits = {
  /** For configuration on its way to the probe's proxy and the callee's. */
  limit: limitMs,
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
const connectProgram = `
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
const isExpected = ({ outcome }) => outcome !== 'closed';
${tryAll(answers)}`;

interface Port extends Target {
  readonly to: ConnectionModel;
}

/** A caller connects to ports. */
export const connecting: Trial<Port, ConnectionAnswer> = {
  does: 'connect',
  claim: (callees) => `connects to ${callees}`,
  program: connectProgram,
  args: (targets) => [
    targets.map(({ to: { workload, namespace, port, pod = workload } }): Connection => {
      return { host: `${pod}.${namespace}.svc.cluster.local`, port };
    }),
    waits,
  ],
  answers,
  unsaid: 'how its connections went',
  problem: ({ where }, { to, title }, { outcome, greeted, why }) => {
    if (outcome !== 'closed') return undefined;
    return {
      where: `${where} connects to ${title}, port ${to.port}`,
      what: greeted
        ? 'the server greets it, and the connection is closed at the first byte that it sends'
        : 'the connection gets to no server, or is closed at the first byte that it sends',
      received: why,
      allowed: 'a connection that stays open, or an answer',
      fix: `look whether ${to.workload} has ready pods, and listens there on all addresses of its pod, not on 127.0.0.1 alone`,
    };
  },
  summary: ({ title }, { outcome, greeted }) => {
    if (outcome === 'answered') return `${title} answers`;
    return greeted ? `${title} greets it and listens` : `${title} listens`;
  },
};

/** Every caller connects to all ports that it may. */
export function connections(model: MeshModel): readonly Proof[] {
  return inTheirName(model, connecting, ({ connects = [] }) =>
    connects.flatMap((to): readonly Port[] => {
      const callee = calleeOf(model, to);
      if (callee === undefined || callee.answersFrom.length === 0) return [];
      const single = to.pod === undefined ? '' : `${to.pod} of `;
      return [{ to, title: `${single}${titleOf(model, callee)}:${to.name}` }];
    }),
  );
}
