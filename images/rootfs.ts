import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { run } from '../core/run.ts';
import type { ImageSpec } from './spec.ts';
import type { TarEntry } from './tar.ts';

/**
 * Lays an image's own files out in a folder as they will be in the image.
 * @param packages Paths of the Debian package files to unpack.
 */
export async function stageRoot(
  root: string,
  image: Pick<ImageSpec, 'files' | 'folders' | 'links'>,
  packages: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  mkdirSync(root, { recursive: true });
  for (const file of packages) await unpack(file, root, signal);
  if (packages.length > 0) {
    await mergeUsr(root, signal);
    strip(root);
    bundleCertificates(root);
  }
  for (const { to, from, mode = 0o644 } of image.files ?? []) {
    const target = join(root, to);
    makeFolder(root, dirname(to));
    if ('content' in from) writeFileSync(target, from.content);
    else copyFileSync(from.path, target, constants.COPYFILE_FICLONE);
    chmodSync(target, mode);
  }
  for (const [to, mode] of Object.entries(image.folders ?? {})) {
    makeFolder(root, to);
    chmodSync(join(root, to), mode);
  }
  for (const [to, target] of Object.entries(image.links ?? {})) {
    makeFolder(root, dirname(to));
    rmSync(join(root, to), { force: true });
    symlinkSync(target, join(root, to));
  }
  chmodSync(root, 0o755); // whatever the umask: it becomes the image's root
}

/** Everything below a folder as entries of a layer, ordered by path. */
export function entriesBelow(root: string): readonly TarEntry[] {
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
  return paths.map((path): TarEntry => {
    const file = join(root, path);
    const found = lstatSync(file);
    if (found.isSymbolicLink()) return { path, type: 'link', target: readlinkSync(file) };
    const mode = found.mode & 0o7777;
    if (found.isDirectory()) return { path, type: 'folder', mode };
    return { path, type: 'file', mode, from: file, size: found.size };
  });
}

/** Unpacks a package's files without running its scripts, and records its metadata where scanners look for it. */
async function unpack(file: string, root: string, signal?: AbortSignal): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  await run('dpkg-deb', ['--extract', file, root], options);
  const { stdout } = await run('dpkg-deb', ['--field', file], options);
  const [name = ''] = basename(file).split('_');
  makeFolder(root, '/var/lib/dpkg/status.d');
  writeFileSync(join(root, 'var/lib/dpkg/status.d', name), stdout);
  chmodSync(join(root, 'var/lib/dpkg/status.d', name), 0o644);
}

/** Packages put files both in /lib and /usr/lib, and expect /lib to be a link to /usr/lib. */
async function mergeUsr(root: string, signal?: AbortSignal): Promise<void> {
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    const [top, merged] = [join(root, name), join(root, 'usr', name)];
    if (existsSync(top) && lstatSync(top).isDirectory()) {
      makeFolder(root, `/usr/${name}`);
      await run('cp', ['--archive', `${top}/.`, merged], signal === undefined ? {} : { signal });
      rmSync(top, { recursive: true });
    }
    if (existsSync(merged) && !existsSync(top)) symlinkSync(`usr/${name}`, top);
  }
}

/** Files that no program in these images reads: manuals, translations, character set converters, start-up scripts. */
const unused = [
  'etc/apt',
  'etc/bash_completion.d',
  'etc/ca-certificates',
  'etc/cron.daily',
  'etc/default',
  'etc/init.d',
  'etc/logrotate.d',
  'usr/lib/systemd',
  'usr/sbin/iptables-apply',
  'usr/sbin/ip6tables-apply',
  'usr/sbin/update-ca-certificates',
  'usr/share/bash-completion',
  'usr/share/bug',
  'usr/share/doc-base',
  'usr/share/gcc',
  'usr/share/gdb',
  'usr/share/info',
  'usr/share/lintian',
  'usr/share/locale',
  'usr/share/man',
];

function strip(root: string): void {
  for (const path of unused) rmSync(join(root, path), { recursive: true, force: true });
  const libraries = join(root, 'usr/lib');
  for (const name of existsSync(libraries) ? readdirSync(libraries) : []) {
    rmSync(join(libraries, name, 'gconv'), { recursive: true, force: true });
  }
  // Keep only the licences of the documentation.
  const documents = join(root, 'usr/share/doc');
  for (const name of existsSync(documents) ? readdirSync(documents) : []) {
    if (!lstatSync(join(documents, name)).isDirectory()) continue;
    for (const file of readdirSync(join(documents, name))) {
      if (file !== 'copyright') rmSync(join(documents, name, file), { recursive: true });
    }
  }
}

/** Does what the ca-certificates package's script would do: writes all CAs into the one file that programs read. */
function bundleCertificates(root: string): void {
  const folder = join(root, 'usr/share/ca-certificates/mozilla');
  if (!existsSync(folder)) return;
  const certificates = readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'));
  makeFolder(root, '/etc/ssl/certs');
  const bundle = join(root, 'etc/ssl/certs/ca-certificates.crt');
  writeFileSync(bundle, certificates.join(''));
  chmodSync(bundle, 0o644);
  rmSync(join(root, 'usr/share/ca-certificates'), { recursive: true });
}

/** Creates the missing folders of an absolute path in the image, readable by all whatever the umask. */
function makeFolder(root: string, path: string): void {
  let folder = root;
  for (const name of path.split('/').filter((part) => part !== '')) {
    folder = join(folder, name);
    if (existsSync(folder)) continue;
    mkdirSync(folder);
    chmodSync(folder, 0o755);
  }
}
