import { readFileSync } from 'node:fs';
import { waitFor } from '../../../core/wait.ts';
import { kubectl } from '../checkout/lab.ts';
import type { Caller } from './call.ts';

const program = readFileSync(new URL('./web-program.cjs', import.meta.url), 'utf8');

/** A request over plain HTTP, whose path is sent as it is. */
export interface WebRequest {
  readonly host: string;
  readonly port: number;
  readonly verb: string;
  readonly path: string;
}

/** What it got; a status of 0 where there was no answer. */
export interface WebAnswer {
  readonly status: number;
  readonly body: string;
}

/** Makes the requests at once from inside the pod, and returns what each got. */
export function make(from: Caller, ...requests: readonly WebRequest[]): readonly WebAnswer[] {
  const { cluster, namespace, target, container, kubectl: run = kubectl } = from;
  const exec = ['-n', namespace, 'exec', target, '-c', container, '--', '/usr/bin/node', '-e', program];
  return JSON.parse(run(cluster, ...exec, JSON.stringify(requests))) as WebAnswer[];
}

/** Awaits that so many requests are all answered rightly, and returns what each got: configuration takes seconds to reach the proxies. */
export function rightly(
  what: string,
  from: Caller,
  request: WebRequest,
  isRight: (answer: WebAnswer) => boolean,
  count = 10,
): Promise<readonly WebAnswer[]> {
  return waitFor({ what, timeoutMs: 60_000 }, () => {
    const answers = make(from, ...Array.from({ length: count }, () => request));
    const other = answers.find((answer) => !isRight(answer));
    return other === undefined
      ? { done: true, value: answers }
      : { done: false, because: `${other.status} ${other.body.slice(0, 200)}` };
  });
}
