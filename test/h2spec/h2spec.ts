import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../core/run.ts';
import { ensurePrograms } from '../peers/go-build.ts';
import type { BuildOptions } from '../peers/go-build.ts';

/** The last version that the Go module has under its own name; later ones are tags that no module can be asked for. */
const program = 'github.com/summerwind/h2spec/cmd/h2spec';

/**
 * The path of h2spec, pinned by go.mod and built once.
 * @throws ProblemsError with exit code 2 when the disk is too small, 1 when a build fails, naming its log.
 */
export async function ensureH2spec(options: BuildOptions): Promise<string> {
  const folder = join(options.root, 'test/h2spec');
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  const { h2spec } = await ensurePrograms(
    {
      name: 'h2spec',
      goMod: read('go.mod'),
      inputs: [read('go.sum')],
      packages: { h2spec: program },
      folder: () => Promise.resolve(folder),
      minutes: 1,
      gib: { build: 0.2, modules: 0.1, programs: 0.1 },
    },
    options,
  );
  return h2spec;
}

/** A case: `http2/5.1.1/2` is the second of section 5.1.1. */
export interface Case {
  readonly name: string;
  /** What was expected and what came; undefined when the case passed. */
  readonly failure: string | undefined;
  readonly skipped: boolean;
}

/** Runs the cases of some sections, such as `generic` or `http2/5`, those that h2spec calls strict too. */
export async function runH2spec(
  h2spec: string,
  port: number,
  sections: readonly string[],
): Promise<readonly Case[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'h2spec-'));
  try {
    const report = join(scratch, 'report.xml');
    const flags = ['--strict', '--port', String(port), '--junit-report', report];
    // It ends with 1 when a case fails.
    await run(h2spec, [...sections, ...flags], { timeoutMs: 120_000, okCodes: [0, 1] });
    return casesOf(readFileSync(report, 'utf8'));
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** The cases of a report in JUnit's format, whose texts h2spec does not escape. */
function casesOf(report: string): Case[] {
  const counts = new Map<string, number>();
  const parts = report.split('<testcase ').slice(1);
  return parts.map((part) => {
    const section = /^package="([^"]*)"/.exec(part)?.[1] ?? '';
    const count = (counts.get(section) ?? 0) + 1;
    counts.set(section, count);
    const failure = /<(failure|error)>([^]*?)<\/\1>/.exec(part)?.[2];
    return { name: `${section}/${count}`, failure, skipped: part.includes('<skipped>') };
  });
}
