import { z } from 'zod';
import type { MeshModel, RequestModel } from '../../../charts/model/mesh-model.ts';
import { calleeOf, titleOf } from '../edges.ts';
import { denial } from '../http.ts';
import type { Proof } from '../proof.ts';
import { limitMs, tryAll, type Answers } from './answers.ts';
import { inTheirName, type Target, type Trial } from './in-their-name.ts';

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

const answers: Answers<RequestAnswer> = { word: 'requests: ', schema: answerSchema };

/** What a proxy answers where it reaches no server (502 to 504). A server may say so as well, and then does not serve. */
const unreached = [502, 503, 504];

/**
 * What a probe runs. An answer of the service is any that no proxy makes: those say 502 to 504 of a callee that they do not know or cannot reach, and
 * 403 with words of their own of what a policy denies. Once there is a head, no end is waited for. It takes the requests and a limit in milliseconds.
 */
const requestProgram = `
const http = require('node:http');
const [targets, limitMs] = process.argv.slice(1).map((arg) => JSON.parse(arg));
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
${tryAll(answers)}`;

/** Whether an answer is one that was expected. */
export function isExpected(
  { status, body }: RequestAnswer,
  { answeredBy }: Pick<ProbeRequest, 'answeredBy'>,
): boolean {
  const isDenied = status === 403 && body.startsWith(denial);
  if (answeredBy === 'proxy') return isDenied;
  return status !== 0 && !unreached.includes(status) && !isDenied;
}

interface Asked extends Target {
  readonly to: RequestModel;
}

/** A caller makes requests. */
export const requesting: Trial<Asked, RequestAnswer> = {
  does: 'request',
  claim: (callees) => `gets to ${callees} over HTTP`,
  program: requestProgram,
  args: (targets) => [
    targets.map(({ to: { workload, namespace, ...request } }): ProbeRequest => {
      return { host: `${workload}.${namespace}.svc.cluster.local`, ...request };
    }),
    limitMs,
  ],
  answers,
  unsaid: 'what it was answered',
  problem: ({ where }, { to, title }, answer) => {
    if (isExpected(answer, to)) return undefined;
    const problem = {
      where: `${where} calls ${title}, ${to.verb} ${to.path}`,
      received: answer.status === 0 ? `no answer: ${answer.body}` : `${answer.status} ${answer.body}`.trim(),
    };
    return to.answeredBy === 'service'
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
        };
  },
  summary: ({ to, title }, { status }) =>
    to.answeredBy === 'service'
      ? `${to.verb} ${to.path} of ${title} answered with ${status}`
      : `${title}'s proxy knows it, and refuses what is not granted`,
};

/** Every caller gets to all services over plain HTTP that it may call. */
export function requests(model: MeshModel): readonly Proof[] {
  return inTheirName(model, requesting, (caller) =>
    (caller.requests ?? []).flatMap((to): readonly Asked[] => {
      const callee = calleeOf(model, to);
      if (callee === undefined || callee.answersFrom.length === 0) return [];
      return [{ to, title: titleOf(model, callee) }];
    }),
  );
}
