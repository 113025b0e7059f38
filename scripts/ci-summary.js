// `node scripts/ci-summary.js CHECK_EXIT E2E_EXIT`: prints what failed once more and the closing line of
// `.ci/run`, and exits 0 when all passed.
import { readFailedSteps, readResults } from './results.js';

const [checkExit = '1', e2eExit = '1'] = process.argv.slice(2);
let passed = 0;
let failed = 0;
for (const [project, exit] of [
  ['unit', checkExit],
  ['e2e', e2eExit],
]) {
  const results = readResults(project);
  passed += results.passed;
  for (const failure of results.failures) process.stdout.write(`FAILED ${failure}\n`);
  failed += results.failed;
  if (exit === '0') continue;
  // Each step beside the tests that failed (lint, types, a teardown) counts as one.
  const steps = readFailedSteps(project);
  for (const step of steps) process.stdout.write(`FAILED ${step}\n`);
  failed += steps.length;
  // The tests' own runner may end with another code than 0 when none of its tests failed.
  if (results.failed === 0 && steps.length === 0) {
    process.stdout.write(`FAILED ${project}: no test failed, and it ended with exit code ${exit}\n`);
    failed += 1;
  }
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
