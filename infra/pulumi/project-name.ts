import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { project } from '../plan/stack-config.ts';

const settingsSchema = z.object({ name: z.string() });

/**
 * The name of the project in Pulumi.yaml, by which Pulumi keeps apart the stacks of repositories that share a backend;
 * `meshwright` where there is none.
 * @param root - the project's folder
 */
export function projectName(root: string): string {
  const file = join(root, 'Pulumi.yaml');
  if (!existsSync(file)) return project;
  return settingsSchema.safeParse(parse(readFileSync(file, 'utf8'))).data?.name ?? project;
}
