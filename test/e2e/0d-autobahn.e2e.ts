// The cases of Autobahn|Testsuite against the gateway's WebSocket, before a service that echoes. Needs Python to fetch them, and no
// lab.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { thisWorkspace } from '../../cli/workspace/workspace.ts';
import { ensureAutobahn, runAutobahn } from '../autobahn/autobahn.ts';
import { echoPath, startEcho } from '../autobahn/echo.ts';
import { startUnwrapping } from '../autobahn/unwrap.ts';
import { expectedFailures } from '../peers/expected.ts';
import type { StartedByPython } from '../peers/python.ts';

const workspace = thisWorkspace();
const scratch = mkdtempSync(join(tmpdir(), 'autobahn-'));
const started: { stop(): unknown }[] = [];
let autobahn: StartedByPython;
let url: string;
beforeAll(async () => {
  autobahn = await ensureAutobahn(workspace.root, { ...workspace, report: () => undefined });
  const echo = await startEcho();
  started.push(echo);
  const relay = await startUnwrapping(echo.port);
  started.push(relay);
  url = `ws://127.0.0.1:${relay.port}${echoPath}`;
}, 10 * 60_000);
afterAll(async () => {
  for (const each of started.reverse()) await each.stop();
  rmSync(scratch, { recursive: true });
});

test('the gateway speaks WebSocket as RFC 6455 has it, but for what its messages are', async () => {
  const outcomes = await runAutobahn(autobahn, url, scratch);
  expect(outcomes.size).toBe(517);
  const isDeflate = (name: string) => /^1[23]\./.test(name);
  const conforms = new Set(['OK', 'NON-STRICT', 'INFORMATIONAL']);
  const failed = [...outcomes].filter(
    ([name, { behavior, behaviorClose }]) =>
      !isDeflate(name) && !(conforms.has(behavior) && conforms.has(behaviorClose)),
  );
  process.stderr.write(
    `Autobahn: ${outcomes.size - failed.length} of ${outcomes.size} cases as they should\n`,
  );
  const expected = expectedFailures(join(workspace.root, 'test/autobahn/failing.txt'));
  const told = failed.map(([name, { remoteCloseCode }]) => [name, `closes with ${remoteCloseCode ?? ''}`]);
  expect(Object.fromEntries(told)).toEqual(
    Object.fromEntries([...expected].map(([name, reason]) => [name, reason.split(':')[0]])),
  );
  const deflate = [...outcomes].filter(([name]) => isDeflate(name)).map(([, { behavior }]) => behavior);
  expect(deflate).toEqual(Array(216).fill('UNIMPLEMENTED'));
}, 200_000);
