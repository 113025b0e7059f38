import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** Location and licence of the sources, as far as the project's package.json has them. */
export interface Project {
  readonly license?: string;
  readonly source?: string;
}

const repository = z.union([z.string(), z.object({ url: z.string() }).transform(({ url }) => url)]);
const projectSchema = z.object({ license: z.string().optional(), repository: repository.optional() });

/** Reads licence and location of the sources from the project's package.json. */
export function readProject(root: string): Project {
  const text = readFileSync(join(root, 'package.json'), 'utf8');
  const { license, repository: source } = projectSchema.parse(JSON.parse(text));
  return { ...(license === undefined ? {} : { license }), ...(source === undefined ? {} : { source }) };
}

const packageSchema = z.object({ version: z.string() });

/** Version of the npm package `node`, which the project and its images run on. */
export function nodeVersion(root: string): string {
  const text = readFileSync(join(root, 'node_modules/node/package.json'), 'utf8');
  return packageSchema.parse(JSON.parse(text)).version;
}
