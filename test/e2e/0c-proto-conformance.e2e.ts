// protobuf's own conformance runner against the gateway's codec. Fetches the runner once, and needs no lab.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { thisWorkspace } from '../../cli/workspace/workspace.ts';
import { run } from '../../core/run.ts';
import { expectedFailures } from '../peers/expected.ts';
import { ensureProtoConformance } from '../peers/proto-conformance.ts';
import type { ProtoConformance } from '../peers/proto-conformance.ts';

const folder = fileURLToPath(new URL('../proto-conformance/', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'meshwright-proto-conformance-'));
let runner: ProtoConformance;

beforeAll(async () => {
  runner = await ensureProtoConformance({
    ...thisWorkspace(),
    report: (line) => process.stderr.write(`${line}\n`),
  });
}, 10 * 60_000);
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

test(
  'fails in what is expected and in nothing else',
  async () => {
    const counts = join(scratch, 'counts.json');
    const testee = join(scratch, 'testee');
    const program = [process.execPath, join(folder, 'testee.ts'), runner.descriptors, counts];
    writeFileSync(testee, `#!/bin/sh\nexec ${program.map((part) => `'${part}'`).join(' ')}\n`, {
      mode: 0o755,
    });
    const flags = ['--enforce_recommended', '--maximum_edition', '2023', '--output_dir', scratch];
    const { stdout, stderr } = await run(runner.command, [...runner.args, ...flags, testee], {
      timeoutMs: 5 * 60_000,
      okCodes: [0, 1],
    });
    const output = stdout + stderr;
    const failed = [...output.matchAll(/^(?:ERROR|WARNING), test=([\w.]+):/gm)].map(([, name]) => name);
    const expected = expectedFailures(join(folder, 'expected-failures.txt'));
    expect(failed.sort()).toEqual([...expected.keys()]);
    const [, passed, skipped, unexpected] =
      /CONFORMANCE SUITE FAILED: (\d+) successes, (\d+) skipped, 0 expected failures, (\d+) unexpected/.exec(
        output,
      ) ?? [];
    expect(Number(unexpected)).toBe(failed.length);
    const byKind = JSON.parse(readFileSync(counts, 'utf8')) as Record<string, number>;
    process.stderr.write(`protobuf conformance: ${passed ?? ''} passed; ${JSON.stringify(byKind)}\n`);
    // All that is skipped is of one kind.
    expect(byKind).toEqual({
      'by the codec': expect.any(Number),
      'from binary to binary, which the gateway never does: by protobuf-es': expect.any(Number),
      'skipped: unknown keys ignored, which the gateway refuses': expect.any(Number),
    });
    const reasons = Object.entries(byKind).filter(([what]) => what.startsWith('skipped: '));
    expect(reasons.reduce((sum, [, count]) => sum + count, 0)).toBe(Number(skipped));
    expect(byKind['by the codec']).toBeGreaterThan(2_500);
  },
  6 * 60_000,
);
