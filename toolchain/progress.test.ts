import { describe, expect, test } from '@jest/globals';
import { formatDuration, trackBuild } from './progress.ts';

test.each([
  [0, '0 s'],
  [59_400, '59 s'],
  [60_000, '1 min 0 s'],
  [185_000, '3 min 5 s'],
])('%d ms are %s', (ms, expected) => {
  expect(formatDuration(ms)).toBe(expected);
});

describe('trackBuild', () => {
  function build(intervalMs: number) {
    const lines: string[] = [];
    const clock = { ms: 0 };
    const progress = trackBuild({
      set: 'coredns',
      expectedMinutes: 2,
      report: (line) => lines.push(line),
      now: () => clock.ms,
      intervalMs,
    });
    return { lines, clock, progress };
  }

  test('counts fetched modules, then compiled packages, and no other line', () => {
    const { lines, clock, progress } = build(0);
    progress.take('go: downloading k8s.io/api v0.36.3');
    progress.take('k8s.io/api/core/v1');
    progress.compiling(3);
    clock.ms = 61_000;
    progress.take('internal/goarch');
    progress.take('# k8s.io/api/core/v1');
    progress.take('go: some remark');
    progress.take('k8s.io/api/core/v1');
    progress.take('github.com/coredns/coredns');
    expect(lines).toEqual([
      'tools: coredns: modules fetched: 1, 0 s of about 2 min',
      'tools: coredns: 3 packages to compile, 0 s of about 2 min',
      'tools: coredns: compiled 1 of 3 packages (33 %), 1 min 1 s of about 2 min',
      'tools: coredns: compiled 2 of 3 packages (66 %), 1 min 1 s of about 2 min',
      'tools: coredns: compiled 3 of 3 packages (99 %), 1 min 1 s of about 2 min',
    ]);
  });

  test('reports no more often than asked', () => {
    const { lines, clock, progress } = build(5000);
    progress.compiling(100);
    for (let i = 0; i < 100; i++) {
      clock.ms += 100;
      progress.take(`example.org/package${i}`);
    }
    expect(lines).toEqual([
      'tools: coredns: 100 packages to compile, 0 s of about 2 min',
      'tools: coredns: compiled 50 of 100 packages (50 %), 5 s of about 2 min',
      'tools: coredns: compiled 100 of 100 packages (99 %), 10 s of about 2 min',
    ]);
  });
});
