import { readFileSync } from 'node:fs';
import { throwIfAny } from '../core/problem.ts';
import type { Problem } from '../core/problem.ts';
import { run } from '../core/run.ts';

/**
 * What the nodes need from the host's distribution: the container runtime, the bridge, host-local, loopback and portmap
 * CNI plugins (in /usr/lib/cni), `ip`, and the packet filter's programs (`nft` for kube-proxy, `iptables` for the CNI
 * plugins and Istio's). `mount` and `nsenter` belong to every Debian, but not to every container image of it.
 */
export const nodePackages = [
  'runc',
  'containernetworking-plugins',
  'iproute2',
  'iptables',
  'nftables',
  'mount',
  'util-linux',
  'tini',
  'ca-certificates',
] as const;

export interface HostPackagesOptions {
  /** Names of Debian packages. */
  readonly packages: readonly string[];
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Installs those of the packages that are missing, announced first.
 * @throws ProblemsError (exit code 2) when some are missing and this is no Debian-like system, or no root.
 */
export async function ensureHostPackages(options: HostPackagesOptions): Promise<void> {
  const { packages, report } = options;
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const host = { name: osName(), debianLike: isDebianLike(), root: process.getuid?.() === 0 };
  throwIfAny(hostProblems(host, []));
  const listed = await run('dpkg-query', ['-W', '-f', queryFormat, ...packages], {
    okCodes: [0, 1],
    ...signal,
  });
  const missing = missingPackages(packages, listed.stdout);
  if (missing.length === 0) return;
  throwIfAny(hostProblems(host, missing));
  report(`Debian packages: installing ${missing.join(', ')} (about ${missing.length * 3} s)`);
  await aptGet(['update', '--quiet'], options.signal);
  await aptGet(['install', '--yes', '--no-install-recommends', ...missing], options.signal);
  report(`Debian packages: installed ${missing.length}`);
}

/** What matters of the machine for installing packages. */
export interface Host {
  readonly name: string;
  /** Whether it has dpkg and apt-get. */
  readonly debianLike: boolean;
  readonly root: boolean;
}

/** Why the missing packages cannot be installed here, if they cannot. */
export function hostProblems(host: Host, missing: readonly string[]): readonly Problem[] {
  if (!host.debianLike) {
    return [
      {
        where: 'this machine',
        what: 'the lab needs a Debian-like system, because it installs Debian packages',
        received: host.name,
        allowed: 'Debian, Ubuntu or another system with dpkg and apt-get',
        fix: 'run it on such a machine, or name two existing clusters with --context',
      },
    ];
  }
  if (host.root || missing.length === 0) return [];
  return [
    {
      where: 'Debian packages',
      what: 'some are missing, and only root can install them',
      received: missing,
      fix: `run as root, or first: sudo apt-get install --no-install-recommends ${missing.join(' ')}`,
    },
  ];
}

/** Runs apt-get without questions; waits for another run of it to end, up to two minutes. */
export async function aptGet(args: readonly string[], signal?: AbortSignal): Promise<void> {
  await run('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args], {
    env: { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    timeoutMs: 10 * 60_000,
    ...(signal === undefined ? {} : { signal }),
  });
}

const queryFormat = '${Package} ${db:Status-Status}\\n';

/** Those of the packages that dpkg-query's answer does not show as installed, in the order given. */
export function missingPackages(packages: readonly string[], listed: string): readonly string[] {
  const installed = new Set(
    listed
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([, status]) => status === 'installed')
      .map(([name]) => name),
  );
  return packages.filter((name) => !installed.has(name));
}

function isDebianLike(): boolean {
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(osRelease());
}

function osName(): string {
  return /^PRETTY_NAME="?([^"\n]*)/m.exec(osRelease())?.[1] ?? process.platform;
}

function osRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8');
  } catch {
    return '';
  }
}
