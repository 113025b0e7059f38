import { allOrProblems } from '../../core/all-or-problems.ts';
import { waitFor, type Look } from '../../core/wait.ts';
import type { MeshModel } from '../../charts/model/mesh-model.ts';
import type { Clients } from '../../infra/kube/connection.ts';
import { call, describe, type Answer, type Read } from './http.ts';

/** What a proof may use. */
export interface ProofContext {
  readonly model: MeshModel;
  readonly clients: Clients;
  /** URL of each cluster's ingress gateway. */
  readonly ingress: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** One claim about the mesh, and real calls that show it. */
export interface Proof {
  readonly title: string;
  /** Returns what was seen. Throws a ProblemsError (exit code 1) when the claim does not hold within its limit. */
  readonly run: (context: ProofContext) => Promise<string>;
  /**
   * For a proof that costs something: whether a change of this object, named as `Deployment shop/catalog`, may undo what it
   * proved. @default - it is made at every `up`
   */
  readonly concerns?: (object: string) => boolean;
  /** Whether it takes something away for a moment, so that others may notice. @default false */
  readonly disturbs?: boolean;
}

/** How long configuration may take to reach every proxy, and a failover to happen. */
export const settleMs = 60_000;

/** Calls in a row that have to agree once the first one did. */
export const callsInARow = 10;

/**
 * Calls until an answer is as expected, then {@link callsInARow} times more, each of which has to be.
 * The first phase awaits configuration on its way to the proxies; the second shows that the result is no accident.
 * @param wrong - why an answer is not as expected; undefined when it is
 * @returns the last answer
 */
export async function callUntilSteady(
  context: ProofContext,
  what: string,
  cluster: string,
  read: Read,
  wrong: (answer: Answer) => string | undefined,
): Promise<Answer> {
  return untilSteady(context, what, async () => {
    const answer = await call(ingressOf(context, cluster), read, context.signal);
    const because = wrong(answer);
    return because === undefined
      ? { value: answer }
      : { because: `GET ${read.path} through ${cluster}: ${because} (${describe(answer)})` };
  });
}

/**
 * The same with any call.
 * @param make - makes one, and says why it is not as expected
 */
export async function untilSteady<T>(
  { signal }: ProofContext,
  what: string,
  make: () => Promise<{ readonly value: T } | { readonly because: string }>,
): Promise<T> {
  let streak = 0;
  return waitFor(
    { what, timeoutMs: settleMs, intervalMs: 100, ...(signal && { signal }) },
    async (): Promise<Look<T>> => {
      for (;;) {
        const made = await make();
        if ('because' in made) {
          streak = 0;
          return { done: false, because: made.because };
        }
        if (++streak > callsInARow) return { done: true, value: made.value };
      }
    },
  );
}

export function ingressOf(context: ProofContext, cluster: string): string {
  const url = context.ingress[cluster];
  if (url === undefined) throw new Error(`no ingress of ${cluster}`);
  return url;
}

/**
 * Makes proofs side by side, and tells what was seen, in their order.
 * @throws ProblemsError (exit 1) with every one that failed.
 */
export function prove(
  proofs: readonly Proof[],
  context: ProofContext,
  report: (line: string) => void,
): Promise<readonly string[]> {
  return allOrProblems(
    proofs.map(async ({ title, run }) => {
      const line = `${title}: ${await run(context)}`;
      report(line);
      return line;
    }),
  );
}
