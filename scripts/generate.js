// Plain JavaScript for any Node from 18 on: runs as npm's postinstall, before anything else can.
// Makes the protobuf types in gen/ from proto/ (never committed).
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stampFile = join(root, 'gen', '.stamp');

/** Generates gen/ when proto/, the generator's settings or the locked packages changed; says so. */
export function generate() {
  const stamp = inputsHash();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  execFileSync(join(root, 'node_modules', '.bin', 'buf'), ['generate'], { cwd: root, stdio: 'inherit' });
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
  ];
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0');
  return hash.digest('hex');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) generate();
