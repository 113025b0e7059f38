import { readFileSync } from 'node:fs';
import { waitFor } from '../../../core/wait.ts';
import { kubectl } from '../checkout/lab.ts';
import type { Caller } from './call.ts';

const program = readFileSync(new URL('./tcp-program.cjs', import.meta.url), 'utf8');

/** A conversation over TCP. */
export interface Conversation {
  readonly host: string;
  readonly port: number;
  /** What the client sends. */
  readonly say: string;
  /** What the server's answer to it has in it. */
  readonly until: string;
  /** Whether the client waits for a greeting before it says anything. @default false */
  readonly serverFirst?: boolean;
}

/** How a connection went. */
export interface Answer {
  /** `closed`: by the other side, before the answer. `silent`: no answer, and not closed, for so long. */
  readonly outcome: 'answered' | 'closed' | 'silent';
  /** All that came. */
  readonly received: string;
}

/** Opens so many connections at once from inside the pod, and returns what each got. */
export function converse(from: Caller, conversation: Conversation, count = 1): readonly Answer[] {
  const { cluster, namespace, target, container, kubectl: run = kubectl } = from;
  const options = JSON.stringify({ serverFirst: false, count, timeoutMs: 15_000, ...conversation });
  const exec = ['-n', namespace, 'exec', target, '-c', container, '--', '/usr/bin/node', '-e', program];
  return JSON.parse(run(cluster, ...exec, options)) as Answer[];
}

/** Awaits that all of so many connections are answered, and returns what each got: configuration takes seconds to reach the proxies. */
export function answered(
  what: string,
  from: Caller,
  conversation: Conversation,
  isRight: (received: string) => boolean = () => true,
  count = 10,
): Promise<readonly string[]> {
  return waitFor({ what, timeoutMs: 60_000 }, () => {
    const answers = converse(from, conversation, count);
    const received = answers.map((answer) => answer.received);
    const other = answers.find((answer) => answer.outcome !== 'answered' || !isRight(answer.received));
    return other === undefined
      ? { done: true, value: received }
      : { done: false, because: `${other.outcome} after ${JSON.stringify(other.received.slice(0, 200))}` };
  });
}
