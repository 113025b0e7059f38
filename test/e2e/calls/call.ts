import { readFileSync } from 'node:fs';
import { waitFor } from '../../../core/wait.ts';
import { kubectl, type Kubectl } from '../checkout/lab.ts';

const program = readFileSync(new URL('./call-program.cjs', import.meta.url), 'utf8');

/** gRPC status codes as they stand in trailers (grpc/statuscodes.md). */
export const status = {
  ok: '0',
  cancelled: '1',
  invalidArgument: '3',
  deadlineExceeded: '4',
  notFound: '5',
  permissionDenied: '7',
  resourceExhausted: '8',
  aborted: '10',
  unimplemented: '12',
  internal: '13',
  unavailable: '14',
  unauthenticated: '16',
} as const;

/** Where a call comes from: a pod of a workload, by whose proxy and under whose identity it is made. */
export interface Caller {
  readonly cluster: string;
  readonly namespace: string;
  /** As kubectl exec takes it: `deployment/orders`, `pod/intruder`. */
  readonly target: string;
  readonly container: string;
  /** Of the lab it is in. @default - that of the checkout */
  readonly kubectl?: Kubectl;
}

export interface Call {
  /** `host:port` */
  readonly address: string;
  /** `/shop.catalog.v1.CatalogService/GetProduct` */
  readonly path: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** The request's bytes. @default - none: an empty message */
  readonly message?: Buffer;
  /** Number of calls. @default 1 */
  readonly count?: number;
  /** Calls at a time. @default 1 */
  readonly concurrency?: number;
  /** Connections to the proxy that the calls take in turn. @default 1 */
  readonly connections?: number;
  /** Limit for each call, in milliseconds. @default 30000 */
  readonly timeoutMs?: number;
}

/** What a call got. */
export interface Answer {
  /** gRPC status code, or `http NNN` without one, or `error CODE` when the stream broke. */
  readonly status: string;
  readonly message: string;
  /** `cluster/pod`, of those who say so. */
  readonly servedBy: string;
  /** Response metadata and trailers. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
  readonly ms: number;
}

/** Makes the calls from inside the pod, all by one program, and returns what each got, in order. */
export function callMany(from: Caller, call: Call): readonly Answer[] {
  const {
    address,
    path,
    metadata = {},
    message,
    count = 1,
    concurrency = 1,
    connections = 1,
    timeoutMs = 30_000,
  } = call;
  const options = {
    url: `http://${address}`,
    path,
    metadata,
    message: message?.toString('hex') ?? '',
    count,
    concurrency,
    connections,
    timeoutMs,
  };
  const { cluster, namespace, target, container, kubectl: run = kubectl } = from;
  const exec = ['-n', namespace, 'exec', target, '-c', container, '--', '/usr/bin/node', '-e', program];
  return JSON.parse(run(cluster, ...exec, JSON.stringify(options))) as Answer[];
}

/** One call. */
export function callOnce(from: Caller, call: Call): Answer {
  const [answer] = callMany(from, { ...call, count: 1 });
  if (answer === undefined) throw new Error('the call printed no answer');
  return answer;
}

/**
 * Awaits that a call gets this status twice in a row, and returns the last answer: configuration takes some seconds to
 * reach the proxies, and gets to the threads of one at different times. Who goes on with other calls makes several at
 * once, each over a connection of its own: all of them have to get it.
 */
export function eventually(
  what: string,
  expected: string,
  call: () => Answer | readonly Answer[],
): Promise<Answer> {
  const shown = ({ status: code, message }: Answer) => `${code}${message === '' ? '' : ` (${message})`}`;
  let before = false;
  return waitFor({ what, timeoutMs: 90_000 }, () => {
    const seen = [call()].flat();
    const other = seen.find(({ status: code }) => code !== expected);
    const [again, last] = [before, seen.at(-1)];
    before = other === undefined;
    if (other !== undefined) return { done: false, because: `${shown(other)}, not ${expected}` };
    return again && last !== undefined
      ? { done: true, value: last }
      : { done: false, because: `${expected}, but not yet twice` };
  });
}
