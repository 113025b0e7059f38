// connectrpc's conformance runner, in Go, against a server and a client of our runtime, and the gateway's client. Needs Go to
// build it once, and no lab.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { thisWorkspace } from '../../cli/workspace/workspace.ts';
import { run } from '../../core/run.ts';
import { ensureConformance } from '../conformance/program.ts';
import type { Conformance } from '../conformance/program.ts';

const workspace = thisWorkspace();
const programs = join(workspace.root, 'test/conformance');
const scratch = mkdtempSync(join(tmpdir(), 'conformance-'));
let conformance: Conformance;
beforeAll(async () => {
  const descriptors = join(scratch, 'protos.binpb');
  conformance = await ensureConformance({ ...workspace, report: () => undefined }, descriptors);
}, 25 * 60_000);
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

/** What the runner says; it fails for a case that fails, and for one that is listed and passes. */
async function runs(
  mode: 'client' | 'server',
  program: string,
  more: readonly string[] = [],
): Promise<string> {
  const { stdout } = await run(
    conformance.runner,
    [
      ...['--mode', mode, '--conf', join(programs, `${mode}-config.yaml`), ...more],
      ...['--', process.execPath, join(programs, program)],
    ],
    { env: { CONFORMANCE_DESCRIPTORS: conformance.descriptors }, timeoutMs: 120_000 },
  );
  return stdout;
}

test('a server passes all cases but those that are listed', async () => {
  const said = await runs('server', 'server.ts', [
    '--known-failing',
    `@${join(programs, 'server-failing.txt')}`,
  ]);
  expect(said).toContain('358 passed, 0 failed\n(Another 16 failed as expected');
}, 150_000);

test("the gateway's client passes all cases but those that are listed", async () => {
  const said = await runs('client', 'transport-client.ts', [
    '--known-failing',
    `@${join(programs, 'gateway-client-failing.txt')}`,
  ]);
  expect(said).toContain('209 passed, 0 failed\n(Another 8 failed as expected');
}, 150_000);

test('a client of the runtime passes all cases', async () => {
  expect(await runs('client', 'service-client.ts')).toContain('217 passed, 0 failed');
}, 150_000);
