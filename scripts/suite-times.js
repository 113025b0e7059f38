// What each suite of a project's last run cost, for the end of a run.
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { root } from './prepare.js';
import { resultsFile } from './results.js';

/** Seconds, tests passed and tests failed by suite, in the order they ran; none when the run left no results. */
export function suiteTimes(project) {
  const file = resultsFile(project);
  if (!existsSync(file)) return [];
  return JSON.parse(readFileSync(file, 'utf8'))
    .testResults.toSorted((a, b) => a.startTime - b.startTime)
    .map(({ name, startTime, endTime, status, assertionResults }) => ({
      suite: relative(root, name),
      seconds: Math.max(0, Math.round((endTime - startTime) / 1000)),
      passed: assertionResults.filter((test) => test.status === 'passed').length,
      failed: Math.max(
        assertionResults.filter((test) => test.status === 'failed').length,
        status === 'failed' ? 1 : 0,
      ),
    }));
}

/** A table of {@link suiteTimes} with their sum. */
export function timesTable(suites) {
  const total = suites.reduce((sum, { seconds }) => sum + seconds, 0);
  const width = Math.max(5, ...suites.map(({ suite }) => suite.length));
  const line = (suite, seconds, rest) => `${suite.padEnd(width)}  ${String(seconds).padStart(7)}  ${rest}\n`;
  return [
    line('SUITE', 'SECONDS', 'TESTS'),
    ...suites.map(({ suite, seconds, passed, failed }) =>
      line(suite, seconds, `${passed} passed${failed === 0 ? '' : `, ${failed} failed`}`),
    ),
    line('in all', total, ''),
  ]
    .map((each) => each.trimEnd())
    .join('\n');
}
