import { posix } from 'node:path';
import { dependents } from './import-graph.ts';
import type { Files } from './import-graph.ts';

/** What tests read beside what they import: when a path of the first kind is touched, the tests of the second are. */
const inputs: readonly (readonly [RegExp, RegExp])[] = [
  // The sample's files, and all that goes into them: what is synthesized, the documents' examples, a service that is made.
  [
    /^(?:mesh\.ts$|charts\/|apps\/config\/|core\/|http-rule\/)/,
    /^(?:charts\/(?:dist|docs|synth)|infra\/policy\/rules)\.test\.ts$/,
  ],
  [
    /^(?:apps\/[^/]+\/config\.yml$|images\.lock\.json$|dist\/)/,
    /^(?:charts\/|apps\/config\/|images\/lock|infra\/|cli\/)/,
  ],
  [
    /^(?:docs\/|[A-Z]+\.md$)/,
    /^(?:charts\/docs|cli\/docs|apps\/config\/app-config|test\/differential\/compare)\.test\.ts$/,
  ],
  [/^(?:apps\/|scaffold\/|proto\/|CONTRIBUTING\.md$)/, /^scaffold\//],
  // The sample's own tests, and the list of what is the sample's.
  [/^(?:apps\/[^/]+\/config\.yml$|dist\/|README\.md$|Pulumi\.)/, /^test\/sample\//],
  [/^(?:.*\.[jt]s$|CONTRIBUTING\.md$)/, /^test\/structure\/sample\.test\.ts$/],
  [/^(?:apps|core|http-rule|proto)\//, /^images\/(?:bundle|reproducible)\.test\.ts$/],
  // Loaded, not imported.
  [/^(?:mesh\.ts$|charts\/)/, /^cli\//],
  // Programs that tests start by their path.
  [/^(?:cli|infra|charts|core)\//, /^cli\/main\.test\.ts$/],
  [/^apps\//, /^apps\/(?:runtime|orders|gateway)\/.*(?:main|run|metrics|validation|tracing.*)\.test\.ts$/],
];

/** Everything depends on these. */
const everything = /^(?:package(?:-lock)?\.json|tsconfig\.json|jest\.config\.js|test\/runner\/|buf\.)/;

const isTest = (path: string) => path.endsWith('.test.ts');

/**
 * The unit tests that a change touches: those that import a changed file, by others too, and those that read one.
 * @param changed - paths from the root, of files that are gone too
 * @param files - sources of the project
 * @param graph - see importers
 */
export function touchedTests(
  changed: Files,
  files: Files,
  graph: ReadonlyMap<string, ReadonlySet<string>>,
): string[] {
  const tests = files.filter(isTest);
  if (changed.some((path) => everything.test(path))) return tests;
  const reached = dependents(changed.flatMap(sourcesOf), graph);
  const read = inputs.filter(([input]) => [...reached].some((path) => input.test(path)));
  return tests.filter(
    (test) =>
      reached.has(test) ||
      read.some(([, tests]) => tests.test(test)) ||
      changed.some((path) => isBeside(path, test)),
  );
}

/** A proto stands for the sources that are generated from it. */
function sourcesOf(path: string): string[] {
  const [, name] = /^proto\/(.*)\.proto$/.exec(path) ?? [];
  return name === undefined ? [path] : [path, `gen/${name}_pb.js`, 'gen/comments.js'];
}

/** A golden file or another that is no source is read by tests of its folder, or of the one above. */
function isBeside(path: string, test: string): boolean {
  if (/\.[cm]?[jt]s$/.test(path) || !path.includes('/')) return false;
  const folder = posix.dirname(path).replace(/\/__golden__.*/, '');
  return posix.dirname(test) === folder;
}
