import { z } from 'zod';
import type { ConnectionModel, MeshModel } from '../../charts/model/mesh-model.ts';
import { ProblemsError, type Problem } from '../../core/problem.ts';
import { calleeOf, callersOf, imageFor, titleOf, type CallerModel } from './edges.ts';
import { runProgram } from './pod.ts';
import { podName, probeLabels } from './probes.ts';
import type { Proof, ProofContext } from './proof.ts';

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

/**
 * Every workload, and every job, connects to all ports that it may, in every cluster that it runs in: in its name, from a pod with its service account and
 * labels, which takes no traffic.
 */
export function connections(model: MeshModel): readonly Proof[] {
  return callersOf(model).flatMap((caller) => {
    const image = imageFor(model, caller);
    const targets = (caller.connects ?? []).flatMap((to): readonly Target[] => {
      const callee = calleeOf(model, to);
      if (callee === undefined || callee.answersFrom.length === 0) return [];
      const single = to.pod === undefined ? '' : `${to.pod} of `;
      return [{ to, title: `${single}${titleOf(model, callee)}:${to.name}` }];
    });
    if (image === undefined || targets.length === 0) return [];
    const listed = new Intl.ListFormat('en').format(targets.map(({ title }) => title));
    return caller.answersFrom.map((cluster) => ({
      title: `${titleOf(model, caller)} in ${cluster} connects to ${listed}`,
      run: (context: ProofContext) => prove(context, { caller, cluster, image, targets }),
      // Each object may stand in the way of a connection.
      concerns: () => true,
    }));
  });
}

interface Target {
  readonly to: ConnectionModel;
  /** What it is called in titles. */
  readonly title: string;
}

interface Probe {
  readonly caller: CallerModel;
  readonly cluster: string;
  readonly image: string;
  readonly targets: readonly Target[];
}

async function prove({ model, clients, signal }: ProofContext, probe: Probe): Promise<string> {
  const { caller, cluster, image, targets } = probe;
  const client = clients[cluster];
  if (client === undefined) throw new Error(`no client of ${cluster}`);
  const to = targets.map(({ to: { workload, namespace, port, pod = workload } }): Connection => {
    return { host: `${pod}.${namespace}.svc.cluster.local`, port };
  });
  const name = podName(caller, 'connect');
  const pod = {
    ...{ name, namespace: caller.namespace, labels: probeLabels(model, caller), image },
    ...{
      annotations: caller.proxyAnnotations,
      serviceAccountName: caller.name,
      source: connectProgram,
      args: [to, waits].map((arg) => JSON.stringify(arg)),
    },
  };
  return judge(`${caller.name} in ${cluster}`, name, targets, await runProgram(client, pod, signal));
}

/**
 * What was seen of each port.
 * @param pod - that printed it
 * @throws ProblemsError (exit 1) for each port that was not reached
 */
export function judge(where: string, pod: string, targets: readonly Target[], printed: string): string {
  const answers = readConnections(printed);
  if (answers?.length !== targets.length) {
    const what = `its probe, pod ${pod}, did not say how its connections went`;
    throw new ProblemsError([{ where, what, received: printed.trim() }], 1);
  }
  const seen = targets.map((target, index) => ({ ...target, answer: answers[index] }));
  const problems = seen.flatMap(({ to, title, answer }): readonly Problem[] => {
    if (answer?.outcome !== 'closed') return [];
    return [
      {
        where: `${where} connects to ${title}, port ${to.port}`,
        what: answer.greeted
          ? 'the server greets it, and the connection is closed at the first byte that it sends'
          : 'the connection gets to no server, or is closed at the first byte that it sends',
        received: answer.why,
        allowed: 'a connection that stays open, or an answer',
        fix: `look whether ${to.workload} has ready pods, and listens there on all addresses of its pod, not on 127.0.0.1 alone`,
      },
    ];
  });
  if (problems.length > 0) throw new ProblemsError(problems, 1);
  return seen
    .map(({ title, answer }) => {
      if (answer?.outcome === 'answered') return `${title} answers`;
      return answer?.greeted === true ? `${title} greets it and listens` : `${title} listens`;
    })
    .join(', ');
}
