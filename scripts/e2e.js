// `npm run test:e2e [-- FILE]`: the suites that need clusters, in the order of test/e2e/order.js.
import { endClean, runSuites, startClean } from './lab-suites.js';
import { prepare } from './prepare.js';
import { keepFailedSteps, removeFailedSteps } from './results.js';
import { suiteTimes, timesTable } from './suite-times.js';

prepare();
removeFailedSteps('e2e');
try {
  startClean();
  process.exitCode = runSuites(process.argv.slice(2));
} finally {
  const gone = endClean(process.exitCode === 0);
  if (!gone) process.exitCode = 1;
  keepFailedSteps(
    'e2e',
    gone ? [] : [{ title: 'teardown of the lab', output: 'the last `down` above says what is left' }],
  );
  process.stdout.write(`\n${timesTable(suiteTimes('e2e'))}\n`);
}
