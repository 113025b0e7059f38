import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { run } from '../../core/run.ts';
import { ensureGo, requiredGo } from '../../toolchain/go.ts';
import { ensurePrograms } from '../peers/go-build.ts';
import type { BuildOptions } from '../peers/go-build.ts';

/** cert-manager as its Go module has it, pinned by go.mod. */
export interface CertManager {
  /** Its controllers of Certificates and CA issuers: `cert-manager --kubeconfig FILE --cluster-resource-namespace NAME`. */
  readonly program: string;
  /** Definitions of its custom resources, YAML. */
  readonly definitions: readonly string[];
}

const module = 'github.com/cert-manager/cert-manager';

/**
 * Builds the controllers, once, and reads the definitions beside their sources.
 * @throws ProblemsError with exit code 2 when the disk is too small, 1 when a build fails, naming its log.
 */
export async function ensureCertManager(options: BuildOptions): Promise<CertManager> {
  const folder = join(options.root, 'test/cert-manager');
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  const goMod = read('go.mod');
  const { 'cert-manager': program } = await ensurePrograms(
    {
      name: 'cert-manager',
      goMod,
      inputs: [read('go.sum'), read('main.go')],
      packages: { 'cert-manager': '.' },
      folder: () => Promise.resolve(folder),
      minutes: 3,
      gib: { build: 1.5, modules: 0.8, programs: 0.1 },
    },
    options,
  );
  const go = await ensureGo({ ...options, required: requiredGo([goMod]) });
  const found = await run(go.command, ['list', '-m', '-f', '{{.Dir}}', module], { cwd: folder, env: go.env });
  const crds = join(found.stdout.trim(), 'deploy/crds');
  const files = readdirSync(crds).filter((name) => name.startsWith('cert-manager.io_'));
  return { program, definitions: files.map((name) => readFileSync(join(crds, name), 'utf8')) };
}

/** Runs the controllers for the cluster that a kubeconfig points at, as a process of this machine; `stop` ends them. */
export function startCertManager(
  program: string,
  kubeconfig: string,
  report: (line: string) => void,
): { stop(): Promise<void> } {
  const child = spawn(program, ['--kubeconfig', kubeconfig, '--cluster-resource-namespace', 'cert-manager'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', report);
  const ended = once(child, 'exit');
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  return {
    async stop() {
      process.off('exit', end);
      child.kill('SIGTERM');
      await ended;
    },
  };
}
