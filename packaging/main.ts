import { join } from 'node:path';
import { ProblemsError } from '../core/problem.ts';
import { pack } from './pack.ts';

// `npm run packages`: the npm packages of this checkout, as folders and tarballs in .packages/.
const root = join(import.meta.dirname, '..');
try {
  const packed = await pack(root, join(root, '.packages'), (line) => process.stderr.write(`${line}\n`));
  for (const { file, files, size, unpackedSize } of packed)
    process.stdout.write(
      `${file}: ${files} files, ${Math.ceil(size / 1024)} KiB packed, ${Math.ceil(unpackedSize / 1024)} KiB unpacked\n`,
    );
} catch (error) {
  if (!(error instanceof ProblemsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.exitCode;
}
