import { describe, expect, test } from '@jest/globals';
import { synthRun } from './synth-run.ts';
import { formatSynth } from './synth.ts';

test('a run renders every service in both clusters', () => {
  const run = synthRun(10);
  expect(run.services).toBe(10);
  // Each service has at least a Service, a ServiceAccount, a Sidecar, a policy, a rule and a Deployment, twice.
  expect(run.objects).toBeGreaterThan(10 * 6 * 2);
  expect(run.bytes).toBeGreaterThan(run.objects * 100);
  expect(run.cpuSeconds).toBeGreaterThan(0);
});

describe('the table', () => {
  const row = {
    services: 1000,
    seconds: 5,
    fastest: 4.5,
    slowest: 6.25,
    cpuSeconds: 5.5,
    peakMiB: 300.4,
    objects: 16_000,
    bytes: 1,
    perService: 1.02,
  };
  test('shows a size in a line, and how the goal stands', () => {
    expect(formatSynth([row]).split('\n')).toEqual([
      '| services | seconds (range) | CPU seconds | CPU per service, 100 = 1 | peak MiB | objects |',
      '| --- | --- | --- | --- | --- | --- |',
      '| 1000 | 5.00 (4.50 to 6.25) | 5.50 | 1.02 | 300 | 16000 |',
      '',
      '1000 services in two clusters: 0.50 x the goal of 10 s',
      '',
    ]);
  });
});
