import { accessSync, constants, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { productFolder } from '../../core/product.ts';

/** The `pulumi` command on PATH; undefined when there is none. */
export function findPulumi(path = process.env['PATH'] ?? ''): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'pulumi'))
    .find(isExecutable);
}

/** Pulumi's npm packages that are not installed: optional ones of meshwright, which only its engine needs. */
export function missingPulumiPackages(from = productFolder): readonly string[] {
  const { resolve } = createRequire(join(from, 'package.json'));
  return ['@pulumi/pulumi', '@pulumi/kubernetes', '@pulumi/policy'].filter((name) => {
    try {
      resolve(name);
      return false;
    } catch {
      return true;
    }
  });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
