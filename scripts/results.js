// Where test results are kept for `.ci/run`, and what they add up to.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './prepare.js';

export function resultsFile(project) {
  return join(root, 'node_modules', `.results-${project}.json`);
}

/** Forgets the last run: one that dies before its end must not look like it. */
export function removeResults(project) {
  rmSync(resultsFile(project), { force: true });
}

/** Tests passed and failed of a project; a suite that could not run is one failure. */
export function readResults(project) {
  const file = resultsFile(project);
  if (!existsSync(file)) return { passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(
    readFileSync(file, 'utf8'),
  );
  return { passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites };
}
