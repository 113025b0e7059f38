import type { Proof } from './proof.ts';
import { readProved, writeProved } from './record.ts';

/** What an apply did to the clusters: the objects, named as `Deployment shop/catalog`, or only that there were some. */
export type Touched = readonly string[] | 'unknown';

/**
 * Keeps which proofs hold that are not made every time, from one `up` to the next. From before the apply until it is known what that did, none
 * holds: an `up` that is killed meanwhile leaves them to be made again.
 */
export class ProvedOnce {
  readonly #stateDir: string;
  #proved: readonly string[];

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
    this.#proved = readProved(stateDir);
    writeProved(stateDir, []);
  }

  /** Those that are to be made: new ones, those that never ended well, and those that something touched concerns. */
  due(kept: readonly Proof[], touched: Touched): readonly Proof[] {
    const holds = ({ title, concerns }: Proof) =>
      this.#proved.includes(title) && touched !== 'unknown' && !touched.some((object) => concerns?.(object));
    const held = kept.filter(holds);
    this.#write(held.map(({ title }) => title));
    return kept.filter((proof) => !held.includes(proof));
  }

  /** One has been made, and holds. */
  add({ title }: Proof): void {
    this.#write([...this.#proved.filter((other) => other !== title), title]);
  }

  #write(titles: readonly string[]): void {
    this.#proved = titles;
    writeProved(this.#stateDir, titles);
  }
}
