import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseConfig } from '../plan/stack-config.ts';
import { problemOf } from '../testing/problems.ts';
import { upWithPulumi } from './pulumi-engine.ts';

let folder: string;
const path = process.env['PATH'];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pulumi-leaving-'));
  // The stand-in for Pulumi sends no events, and its library misses them aloud.
  jest.spyOn(console, 'warn').mockReturnValue();
});
afterEach(() => {
  jest.restoreAllMocks();
  process.env['PATH'] = path;
  rmSync(folder, { recursive: true });
});

test('up lets go of what clusters have that are no longer declared, before it compares', async () => {
  const resources = ['east', 'west'].map((cluster) => ({
    ...{ urn: `urn:pulumi:lab::shop::kubernetes:core/v1:Secret::${cluster}/istio-system/cacerts` },
    ...{ type: 'kubernetes:core/v1:Secret', protect: true },
  }));
  const exported = JSON.stringify({ version: 3, deployment: { resources } });
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(
    join(bin, 'pulumi'),
    `#!/bin/sh\n[ "$1" = version ] && echo v3.248.0 && exit\necho "$*" >> ${folder}/calls\n` +
      `case "$*" in *export*) echo '${exported}';; *import*) cp ${folder}/state/removal.json ${folder}/imported;; up*) exit 255;; esac\n`,
  );
  chmodSync(join(bin, 'pulumi'), 0o755);
  process.env['PATH'] = [bin, path].join(delimiter);
  const options = {
    ...{ root: join(folder, 'root'), stateDir: join(folder, 'state'), stack: 'lab', environment: 'lab' },
    ...{ leaving: ['west'], report: () => undefined },
  };
  const config = parseConfig({ clusters: { east: { kubeconfig: '/k', context: 'east' } } }, folder, 'test');
  await problemOf(upWithPulumi(config, options));
  const [east, west] = resources;
  expect(JSON.parse(readFileSync(join(folder, 'imported'), 'utf8'))).toEqual({
    version: 3,
    deployment: { resources: [east, { urn: west?.urn, type: west?.type }] },
  });
  const calls = readFileSync(join(folder, 'calls'), 'utf8').split('\n');
  const made = calls.flatMap((call) => /^(stack export|stack import|preview|up) /.exec(call)?.[1] ?? []);
  expect(made).toEqual(['stack export', 'stack import', 'preview', 'up']);
});
