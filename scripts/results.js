// Where test results are kept for `.ci/run`, and what they add up to.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { root } from './prepare.js';

export function resultsFile(project) {
  return join(root, 'node_modules', `.results-${project}.json`);
}

function stepsFile(project) {
  return join(root, 'node_modules', `.results-${project}-steps.json`);
}

/** Forgets the last run: one that dies before its end must not look like it. */
export function removeResults(project) {
  rmSync(resultsFile(project), { force: true });
}

/** As `removeResults`, of the steps beside the tests. */
export function removeFailedSteps(project) {
  rmSync(stepsFile(project), { force: true });
}

/** Lines of a failure that are shown again at the end: what was expected and what came. The whole of it stands with its suite. */
const shownLines = 30;

/** Tests passed and failed of a project, and what each failed one said; a suite that could not run is one failure. */
export function readResults(project) {
  const file = resultsFile(project);
  if (!existsSync(file)) return { passed: 0, failed: 1, failures: [`${project}: ended without results`] };
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, testResults } = JSON.parse(
    readFileSync(file, 'utf8'),
  );
  const failures = testResults.flatMap(({ name, message, assertionResults }) => {
    const suite = relative(root, name);
    const failed = assertionResults.filter(({ status }) => status === 'failed');
    // A suite that could not be loaded, or did not end well after its last test.
    if (failed.length === 0 && message !== '') return [`${suite}\n${beginning(message)}`];
    return failed.map(
      ({ fullName, failureMessages: [first] }) => `${suite}: ${fullName}\n${beginning(first)}`,
    );
  });
  return { passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites, failures };
}

/**
 * Keeps what failed beside the tests of a project, for the end of `.ci/run`: a line `== lint: FAILED` stands an hour above it.
 * @param {readonly { title: string, output: string }[]} steps
 */
export function keepFailedSteps(project, steps) {
  writeFileSync(stepsFile(project), JSON.stringify(steps));
}

/** What each failed step of a project wrote last; one that died before its end has one that says so. */
export function readFailedSteps(project) {
  const file = stepsFile(project);
  if (!existsSync(file)) return [`${project}: ended before its last step; look above for what ended it`];
  return JSON.parse(readFileSync(file, 'utf8')).map(({ title, output }) => `${title}\n${ending(output)}`);
}

/** The last lines of an output, plain: what ends a step is written last. */
function ending(output) {
  return stripVTControlCharacters(output)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-shownLines)
    .map((line) => `  ${line.slice(0, 300)}`)
    .join('\n');
}

/** The first lines of a message, plain, without its stack. */
function beginning(message) {
  const lines = stripVTControlCharacters(message)
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^ +at /.test(line));
  return lines
    .slice(0, shownLines)
    .map((line) => `  ${line.slice(0, 300)}`)
    .join('\n');
}
