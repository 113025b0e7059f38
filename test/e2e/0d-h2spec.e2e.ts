// h2spec, in Go, against a service's port, on which another client's calls go on. Needs Go to build it once, and no lab.
// The gateway has no port for HTTP/2.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { implement } from '../../apps/runtime/handlers.ts';
import { serviceClient } from '../../apps/runtime/client.ts';
import { startLocal } from '../../apps/testing/local.ts';
import type { Local } from '../../apps/testing/local.ts';
import { thisWorkspace } from '../../cli/workspace/workspace.ts';
import { TestService } from '../../gen/grpc/testing/test_pb.js';
import { ensureH2spec, runH2spec } from '../h2spec/h2spec.ts';
import { testService } from '../interop/service.ts';
import { expectedFailures } from '../peers/expected.ts';

const workspace = thisWorkspace();
let h2spec: string;
let local: Local;
beforeAll(async () => {
  h2spec = await ensureH2spec({ ...workspace, report: () => undefined });
  local = await startLocal([implement(TestService, testService)]);
}, 25 * 60_000);
afterAll(() => local.stop());

/** Calls, one after the other, until it is told to stop. */
function startCalls() {
  const client = serviceClient(TestService, local.channel);
  const stopping = new AbortController();
  let made = 0;
  const calls = (async () => {
    while (!stopping.signal.aborted) {
      await client.emptyCall({}, { timeoutMs: 20_000 });
      made += 1;
      await new Promise(setImmediate);
    }
  })();
  return async () => {
    stopping.abort();
    await calls;
    return made;
  };
}

// What waits for an answer that does not come does so beside the others.
const parts = [['generic', 'hpack'], ['http2/3', 'http2/4', 'http2/7', 'http2/8'], ['http2/5'], ['http2/6']];

test('a service takes what is malformed as the specification has it, and answers others meanwhile', async () => {
  const stopCalls = startCalls();
  const { port } = local.server;
  const cases = (await Promise.all(parts.map((sections) => runH2spec(h2spec, port, sections)))).flat();
  expect(await stopCalls()).toBeGreaterThan(100);
  expect(cases).toHaveLength(146);
  const expected = expectedFailures(join(workspace.root, 'test/h2spec/failing.txt'));
  const failed = cases.filter(({ failure, skipped }) => skipped || failure !== undefined);
  process.stderr.write(`h2spec: ${cases.length - failed.length} of ${cases.length} passed\n`);
  expect(failed.filter(({ name }) => !expected.has(name))).toEqual([]);
  expect(failed.map(({ name }) => name).sort()).toEqual([...expected.keys()]);
  const skipped = failed.filter((each) => each.skipped).map(({ name }) => name);
  expect(skipped.sort()).toEqual(
    [...expected].filter(([, reason]) => reason.startsWith('skipped: ')).map(([name]) => name),
  );
}, 150_000);
