// `node scripts/ci-summary.js CHECK_EXIT E2E_EXIT`: prints what failed once more and the closing line of
// `.ci/run`, and exits 0 when all passed.
import { readResults } from './results.js';

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
  // A step beside the tests that failed (lint, types, a teardown) counts as one.
  failed += results.failed === 0 && exit !== '0' ? 1 : results.failed;
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
