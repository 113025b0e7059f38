// `npm run test:e2e [-- FILE]`: the suites that need clusters, in the order of test/e2e/order.js.
import { endClean, runSuites, startClean } from './lab-suites.js';
import { prepare } from './prepare.js';
import { suiteTimes, timesTable } from './suite-times.js';

prepare();
try {
  startClean();
  process.exitCode = runSuites(process.argv.slice(2));
} finally {
  if (!endClean(process.exitCode === 0)) process.exitCode = 1;
  process.stdout.write(`\n${timesTable(suiteTimes('e2e'))}\n`);
}
