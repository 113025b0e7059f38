import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../core/files.ts';
import { ProblemsError, throwIfAny } from '../core/problem.ts';
import { apiReports } from './api-report.ts';
import { pack } from './pack.ts';

// `npm run packages`: the npm packages of this checkout, as folders and tarballs in .packages/. With `--api`, docs/api/ is
// written anew: what may be imported from them.
const root = join(import.meta.dirname, '..');
const folder = join(root, '.packages');
try {
  const packed = await pack(root, folder, (line) => process.stderr.write(`${line}\n`));
  for (const { file, files, size, unpackedSize } of packed)
    process.stdout.write(
      `${file}: ${files} files, ${Math.ceil(size / 1024)} KiB packed, ${Math.ceil(unpackedSize / 1024)} KiB unpacked\n`,
    );
  if (process.argv.includes('--api')) {
    const reports = apiReports(folder);
    rmSync(join(root, 'docs/api'), { recursive: true, force: true });
    for (const { file, text } of reports) writeFileAtomic(join(root, 'docs/api', file), text);
    throwIfAny(
      reports.flatMap(({ file, undocumented }) =>
        undocumented.map((received) => ({
          where: `docs/api/${file}`,
          what: 'a public name has no documentation',
          received,
          fix: 'write what it is above it',
        })),
      ),
    );
  }
} catch (error) {
  if (!(error instanceof ProblemsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.exitCode;
}
