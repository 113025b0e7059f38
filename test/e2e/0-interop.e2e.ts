// gRPC's own interop client, in Go, against a service on our runtime. Needs Go to build it once, and no lab.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { implement } from '../../apps/runtime/handlers.ts';
import { startLocal } from '../../apps/testing/local.ts';
import type { Local } from '../../apps/testing/local.ts';
import { thisWorkspace } from '../../cli/workspace/workspace.ts';
import { run } from '../../core/run.ts';
import { TestService } from '../../gen/grpc/testing/test_pb.js';
import { interopCases } from '../interop/cases.ts';
import { testService } from '../interop/service.ts';
import { ensureInterop } from '../peers/interop.ts';

const locals: Local[] = [];
let client: string;
beforeAll(async () => {
  const programs = await ensureInterop({ ...thisWorkspace(), report: () => undefined });
  client = programs['interop-client'];
  locals.push(await startLocal([implement(TestService, testService)]));
  // The same, but that it answers other sizes than asked for, and no metadata.
  const wrong = { ...testService, unaryCall: () => ({}), emptyCall: () => ({}) };
  locals.push(await startLocal([implement(TestService, wrong)]));
}, 25 * 60_000);
afterAll(() => Promise.all(locals.map((local) => local.stop())));

/** Ends with an error when the case does not pass. */
async function passes(testCase: string, local: Local | undefined): Promise<void> {
  const args = ['--server_host=127.0.0.1', `--server_port=${local?.server.port}`, `--test_case=${testCase}`];
  await run(client, args, { timeoutMs: 100_000 });
}

test.each(interopCases)('%s', async (testCase) => {
  await passes(testCase, locals[0]);
});

test.each(['large_unary', 'custom_metadata', 'status_code_and_message'])(
  '%s is seen to fail when the server is wrong',
  async (testCase) => {
    await expect(passes(testCase, locals[1])).rejects.toThrow('interop-client');
  },
);
