import { z } from 'zod';
import type { MeshModel, RequestModel, WorkloadModel } from '../../charts/model/mesh-model.ts';
import { ProblemsError, type Problem } from '../../core/problem.ts';
import { calleeOf, imageFor, titleOf } from './edges.ts';
import { denial } from './http.ts';
import { runProgram } from './pod.ts';
import { podName, probeLabels } from './probes.ts';
import type { Proof, ProofContext } from './proof.ts';

/** A request that a probe makes, over HTTP in plaintext: its proxy adds the identity and mutual TLS. */
export interface ProbeRequest extends Pick<RequestModel, 'port' | 'verb' | 'path' | 'answeredBy'> {
  readonly host: string;
}

/** The last answer to a request. */
export type RequestAnswer = z.infer<typeof answerSchema>;

const answerSchema = z.object({
  /** 0 where there was none. */
  status: z.number(),
  /** The beginning of the body, or why there was no answer. */
  body: z.string(),
});

const answersWord = 'requests: ';

/** How long configuration may take to reach the probe's proxy and the callee's. */
const limitMs = 45_000;

/** What a proxy answers where it reaches no server (502 to 504). A server may say so as well, and then does not serve. */
const unreached = [502, 503, 504];

/**
 * What a probe runs. Makes each request until it is answered as expected or the time is over, and prints the last answers as JSON, after a
 * word. An answer of the service is any that no proxy makes: those say 502 to 504 of a callee that they do not know or cannot reach, and
 * 403 with words of their own of what a policy denies. Once there is a head, no end is waited for. It takes the requests and a limit in milliseconds.
 */
export const requestProgram = `
const http = require('node:http');
const [requests, limitMs] = process.argv.slice(1).map((arg) => JSON.parse(arg));
const deadline = Date.now() + limitMs;
const once = ({ host, port, verb, path }) => new Promise((resolve) => {
  const request = http.request({ host, port, method: verb, path, agent: false, timeout: 5000 }, (response) => {
    let body = '';
    response.setEncoding('utf8');
    const end = () => { resolve({ status: response.statusCode, body }); request.destroy(); };
    response.on('data', (part) => {
      body += part.slice(0, 200 - body.length);
      if (body.length >= 200) end();
    });
    response.on('end', end);
    response.on('error', end);
    // It may never end, and say nothing for long: a stream of events.
    setTimeout(end, 2000);
  });
  request.on('timeout', () => { resolve({ status: 0, body: 'no answer within 5 s' }); request.destroy(); });
  request.on('error', (error) => resolve({ status: 0, body: error.code || error.message }));
  request.end();
});
const isExpected = ({ status, body }, { answeredBy }) => {
  const isDenied = status === 403 && body.startsWith('${denial}');
  if (answeredBy === 'proxy') return isDenied;
  return status !== 0 && !${JSON.stringify(unreached)}.includes(status) && !isDenied;
};
const make = async (request) => {
  for (;;) {
    const answer = await once(request);
    if (isExpected(answer, request) || Date.now() > deadline) return answer;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
};
Promise.all(requests.map(make)).then((answers) => console.log('${answersWord}' + JSON.stringify(answers)));
`;

/** Whether an answer is one that was expected. */
export function isExpected(
  { status, body }: RequestAnswer,
  { answeredBy }: Pick<ProbeRequest, 'answeredBy'>,
): boolean {
  const isDenied = status === 403 && body.startsWith(denial);
  if (answeredBy === 'proxy') return isDenied;
  return status !== 0 && !unreached.includes(status) && !isDenied;
}

/** The answers that a probe printed; undefined when it printed something else. */
export function readRequests(printed: string): readonly RequestAnswer[] | undefined {
  if (!printed.startsWith(answersWord)) return undefined;
  try {
    return z.array(answerSchema).parse(JSON.parse(printed.slice(answersWord.length)));
  } catch {
    return undefined;
  }
}

/**
 * Every workload gets to all services over plain HTTP that it may call, in every cluster that it runs in: in its name, from a pod with its
 * service account and labels, which takes no traffic.
 */
export function requests(model: MeshModel): readonly Proof[] {
  return model.workloads.flatMap((caller) => {
    const image = imageFor(model, caller);
    const targets = (caller.requests ?? []).flatMap((to): readonly Target[] => {
      const callee = calleeOf(model, to);
      if (callee === undefined || callee.answersFrom.length === 0) return [];
      return [{ to, title: titleOf(model, callee) }];
    });
    if (image === undefined || targets.length === 0) return [];
    const listed = new Intl.ListFormat('en').format(targets.map(({ title }) => title));
    return caller.answersFrom.map((cluster) => ({
      title: `${titleOf(model, caller)} in ${cluster} gets to ${listed} over HTTP`,
      run: (context: ProofContext) => prove(context, { caller, cluster, image, targets }),
      // Each object may stand in the way of a request.
      concerns: () => true,
    }));
  });
}

interface Target {
  readonly to: RequestModel;
  /** What it is called in titles. */
  readonly title: string;
}

interface Probe {
  readonly caller: WorkloadModel;
  readonly cluster: string;
  readonly image: string;
  readonly targets: readonly Target[];
}

async function prove({ model, clients, signal }: ProofContext, probe: Probe): Promise<string> {
  const { caller, cluster, image, targets } = probe;
  const client = clients[cluster];
  if (client === undefined) throw new Error(`no client of ${cluster}`);
  const made = targets.map(({ to: { workload, namespace, ...request } }): ProbeRequest => {
    return { host: `${workload}.${namespace}.svc.cluster.local`, ...request };
  });
  const name = podName(caller, 'request');
  const pod = {
    ...{ name, namespace: caller.namespace, labels: probeLabels(model, caller), image },
    ...{
      annotations: caller.proxyAnnotations,
      serviceAccountName: caller.name,
      source: requestProgram,
      args: [JSON.stringify(made), String(limitMs)],
    },
  };
  return judge(`${caller.name} in ${cluster}`, name, targets, await runProgram(client, pod, signal));
}

/**
 * What was seen of each service.
 * @param pod - that printed it
 * @throws ProblemsError (exit 1) for each that did not answer as it should
 */
export function judge(where: string, pod: string, targets: readonly Target[], printed: string): string {
  const answers = readRequests(printed);
  if (answers?.length !== targets.length) {
    const what = `its probe, pod ${pod}, did not say what it was answered`;
    throw new ProblemsError([{ where, what, received: printed.trim() }], 1);
  }
  const seen = targets.map((target, index) => ({ ...target, answer: answers[index] }));
  const problems = seen.flatMap(({ to, title, answer = { status: 0, body: '' } }): readonly Problem[] => {
    if (isExpected(answer, to)) return [];
    const problem = {
      where: `${where} calls ${title}, ${to.verb} ${to.path}`,
      received: answer.status === 0 ? `no answer: ${answer.body}` : `${answer.status} ${answer.body}`.trim(),
    };
    return [
      to.answeredBy === 'service'
        ? {
            ...problem,
            what: 'the request is not answered by the service, where it should be',
            allowed: 'any answer but 502, 503 and 504',
            fix: `look whether ${to.workload} has ready pods, and listens there on all addresses of its pod, not on 127.0.0.1 alone`,
          }
        : {
            ...problem,
            what: `the request, which ${to.workload} grants to nobody, is not refused by its proxy`,
            allowed: `403 ${denial}`,
          },
    ];
  });
  if (problems.length > 0) throw new ProblemsError(problems, 1);
  return seen
    .map(({ to, title, answer }) =>
      to.answeredBy === 'service'
        ? `${to.verb} ${to.path} of ${title} answered with ${answer?.status ?? 0}`
        : `${title}'s proxy knows it, and refuses what is not granted`,
    )
    .join(', ');
}
