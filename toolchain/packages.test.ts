import { describe, expect, test } from '@jest/globals';
import { formatProblem } from '../core/problem.ts';
import { hostProblems, missingPackages } from './packages.ts';

describe('missingPackages', () => {
  test('names what dpkg-query does not show as installed, in the order asked', () => {
    const listed =
      'iproute2 installed\nnftables config-files\nrunc not-installed\nca-certificates installed\n';
    expect(missingPackages(['runc', 'iproute2', 'nftables', 'tini', 'ca-certificates'], listed)).toEqual([
      'runc',
      'nftables',
      'tini',
    ]);
  });

  test('takes one of several architectures as enough, and a longer name for another package', () => {
    expect(
      missingPackages(['libc6', 'mount'], 'libc6 installed\nlibc6 not-installed\nmount-x installed\n'),
    ).toEqual(['mount']);
  });
});

describe('hostProblems', () => {
  const debian = { name: 'Debian GNU/Linux 12 (bookworm)', debianLike: true };

  test('are none for root, or when nothing is missing', () => {
    expect(hostProblems({ ...debian, root: true }, ['runc'])).toEqual([]);
    expect(hostProblems({ ...debian, root: false }, [])).toEqual([]);
  });

  test('say what another user has to do', () => {
    expect(hostProblems({ ...debian, root: false }, ['runc', 'nftables']).map(formatProblem)).toEqual([
      'Debian packages: some are missing, and only root can install them; received ["runc","nftables"]; fix: run as root, or first: sudo apt-get install --no-install-recommends runc nftables',
    ]);
  });

  test('name the system when it is none of Debian', () => {
    expect(
      hostProblems({ name: 'Fedora Linux 44', debianLike: false, root: true }, []).map(formatProblem),
    ).toEqual([
      'this machine: the lab needs a Debian-like system, because it installs Debian packages; received "Fedora Linux 44"; allowed Debian, Ubuntu or another system with dpkg and apt-get; fix: run it on such a machine, or name two existing clusters with --context',
    ]);
  });
});
