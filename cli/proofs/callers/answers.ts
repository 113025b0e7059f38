import type { z } from 'zod';

/** How long configuration may take to reach a probe's proxy and the callee's, in milliseconds. */
export const limitMs = 45_000;

/** How a probe prints what it was answered: JSON after a word, as a log of JSON alone is read as an object of Kubernetes. */
export interface Answers<A> {
  readonly word: string;
  /** Of one of them. */
  readonly schema: z.ZodType<A>;
}

/**
 * The end of each program: it tries all targets side by side, each until it is answered as expected or the time is over, and prints the last
 * answers in their order. What stands before it has `targets`, `deadline`, `once`, which makes one answer of a target, and `isExpected`.
 */
export function tryAll({ word }: Pick<Answers<unknown>, 'word'>): string {
  return `
const make = async (target) => {
  for (;;) {
    const answer = await once(target);
    if (isExpected(answer, target) || Date.now() > deadline) return answer;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
};
Promise.all(targets.map(make)).then((answers) => console.log('${word}' + JSON.stringify(answers)));
`;
}

/** The answers that a probe printed; undefined when it printed something else. */
export function readAnswers<A>({ word, schema }: Answers<A>, printed: string): readonly A[] | undefined {
  if (!printed.startsWith(word)) return undefined;
  try {
    return schema.array().parse(JSON.parse(printed.slice(word.length)));
  } catch {
    return undefined;
  }
}
