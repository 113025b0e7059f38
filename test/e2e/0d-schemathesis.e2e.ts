// Schemathesis against the gateway before the sample's services, from its own OpenAPI document: programs of this machine. Needs Python
// to fetch it, and no lab.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { thisWorkspace } from '../../cli/workspace/workspace.ts';
import { expectedFailures } from '../peers/expected.ts';
import type { StartedByPython } from '../peers/python.ts';
import { ensureSchemathesis, runSchemathesis } from '../schemathesis/schemathesis.ts';
import { startShop } from '../schemathesis/shop.ts';
import type { Shop } from '../schemathesis/shop.ts';

const workspace = thisWorkspace();
const scratch = mkdtempSync(join(tmpdir(), 'schemathesis-'));
let schemathesis: StartedByPython;
let shop: Shop;
beforeAll(async () => {
  schemathesis = await ensureSchemathesis(workspace.root, { ...workspace, report: () => undefined });
  shop = await startShop(workspace.root, scratch);
}, 10 * 60_000);
afterAll(async () => {
  await shop.stop();
  rmSync(scratch, { recursive: true });
});

/** Random requests for each operation, beside those that the document's rules make. */
const examples = 4;

test(
  'the gateway takes and answers what its OpenAPI document says',
  async () => {
    const settings = { url: shop.url, seed: 14, examples, folder: scratch };
    const { report, failures, output } = await runSchemathesis(workspace.root, schemathesis, settings);
    const { operations, phases, errors } = report;
    const { generated } = report.test_cases;
    process.stderr.write(`Schemathesis: ${generated} requests, ${failures.length} findings, seed 14\n`);
    const expected = expectedFailures(join(workspace.root, 'test/schemathesis/failing.txt'));
    // The first has what was sent and answered.
    expect(failures.every((name) => expected.has(name)) ? '' : output).toBe('');
    expect(failures).toEqual([...expected.keys()]);
    expect(errors).toEqual([]);
    expect(operations).toMatchObject({ total: 11, tested: 11 });
    expect(Object.keys(phases)).toEqual(expect.arrayContaining(['coverage', 'fuzzing', 'stateful']));
    expect(generated).toBeGreaterThan(400);
  },
  6 * 60_000,
);
