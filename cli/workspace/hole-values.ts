import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { HoleValues } from '../../charts/holes.ts';
import { readStackFile } from '../../infra/plan/stack-file.ts';

/**
 * What the holes of an environment are filled with: `meshwright:values` of the stack of its name. Without such a file, nothing.
 * @throws ProblemsError (exit 2) when the file is wrong
 */
export function holeValues(root: string, environment: string): HoleValues {
  const where = `Pulumi.${environment}.yaml`;
  return { where, values: existsSync(join(root, where)) ? readStackFile(root, environment).values : {} };
}
