import { createRequire } from 'node:module';
import { inOrder } from './order.js';

const { default: Sequencer } = createRequire(import.meta.url)('@jest/test-sequencer');

/** Runs the suites that need clusters in the order that is written down, and others by name. */
export default class Ordered extends Sequencer {
  sort(tests) {
    const suites = tests.filter(({ path }) => path.endsWith('.e2e.ts'));
    const places = new Map(inOrder(suites.map(({ path }) => path)).map((path, place) => [path, place]));
    return tests.toSorted(
      (a, b) => (places.get(a.path) ?? -1) - (places.get(b.path) ?? -1) || (a.path < b.path ? -1 : 1),
    );
  }
}
