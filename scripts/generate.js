// Plain JavaScript for any Node from 18 on: runs as npm's postinstall, before anything else can.
// Makes the protobuf types in gen/ from proto/ (never committed).
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stampFile = join(root, 'gen', '.stamp');
const validateProto = join(root, 'node_modules', '.protos', 'buf', 'validate', 'validate.proto');

/** Generates gen/ when proto/, the generator's settings or the locked packages changed; says so. */
export function generate() {
  const stamp = inputsHash();
  const made = existsSync(validateProto) && existsSync(stampFile);
  if (made && readFileSync(stampFile, 'utf8') === stamp) return;
  // A process of its own: it imports packages, and this file is loaded before they are installed.
  execFileSync(process.execPath, [join(root, 'scripts', 'validate-proto.js')], { stdio: 'inherit' });
  execFileSync(join(root, 'node_modules', '.bin', 'buf'), ['generate'], { cwd: root, stdio: 'inherit' });
  execFileSync(process.execPath, [join(root, 'scripts', 'comments.js')], { stdio: 'inherit' });
  writeFileSync(stampFile, stamp);
}

function inputsHash() {
  const hash = createHash('sha256');
  const protos = readdirSync(join(root, 'proto'), { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.proto'))
    .sort();
  const files = [
    ...protos.map((file) => join('proto', file)),
    'buf.yaml',
    'buf.gen.yaml',
    'package-lock.json',
    'scripts/validate-proto.js',
    'scripts/comments.js',
  ];
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0');
  return hash.digest('hex');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) generate();
