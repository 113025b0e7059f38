// Plain JavaScript for any Node from 18 on: runs as npm's postinstall, before anything else can.
// Makes the protobuf types in gen/ from proto/ (never committed).
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const steps = ['validate-proto.js', 'comments.js'];
/** What says which generator is installed: npm's, pnpm's and yarn's lock, and the generator's own manifest. */
const locks = [
  ...['package-lock.json', 'pnpm-lock.yaml', 'yarn.lock'],
  ...['@bufbuild/protoc-gen-es', 'google-proto-files'].map((name) => `node_modules/${name}/package.json`),
];

/**
 * Generates a project's gen/ when its proto/, the generator's settings or the locked packages changed; says so.
 * @param {string} root - the project's folder
 * @param {string} node - the Node program that runs what needs packages
 */
export function generate(root, node = process.execPath) {
  const stampFile = join(root, 'gen', '.stamp');
  const validateProto = join(root, 'node_modules', '.protos', 'buf', 'validate', 'validate.proto');
  const stamp = inputsHash(root);
  const made = existsSync(validateProto) && existsSync(stampFile);
  if (made && readFileSync(stampFile, 'utf8') === stamp) return;
  // Processes of their own: they import packages, and this file is loaded before they are installed.
  const [validate, comments] = steps.map((step) => join(here, step));
  execFileSync(node, [validate, root], { stdio: 'inherit' });
  execFileSync(join(root, 'node_modules', '.bin', 'buf'), ['generate'], { cwd: root, stdio: 'inherit' });
  execFileSync(node, [comments, root], { stdio: 'inherit' });
  writeFileSync(stampFile, stamp);
}

/** proto/, and the folders that buf.yaml and buf.gen.yaml name besides; those of packages change with the lock. */
function protoFolders(root) {
  const named = ['buf.yaml', 'buf.gen.yaml']
    .map((file) => join(root, file))
    .filter((file) => existsSync(file))
    .flatMap((file) => [
      ...readFileSync(file, 'utf8').matchAll(/^\s*- (?:path|directory): ['"]?([^'"\s#]+)/gm),
    ]);
  const folders = new Set(['proto', ...named.map(([, folder]) => folder)]);
  return [...folders].filter(
    (folder) => !folder.startsWith('node_modules') && existsSync(join(root, folder)),
  );
}

function inputsHash(root) {
  const hash = createHash('sha256');
  const protos = protoFolders(root)
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true }).map((file) => join(folder, String(file))),
    )
    .filter((file) => file.endsWith('.proto'))
    .sort();
  const files = [
    ...[...protos, 'buf.yaml', 'buf.gen.yaml', ...locks].map((file) => [file, join(root, file)]),
    ...steps.map((step) => [step, join(here, step)]),
  ];
  for (const [name, file] of files.filter(([, path]) => existsSync(path)))
    hash.update(`${name}\0`).update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) generate(join(here, '..'));
