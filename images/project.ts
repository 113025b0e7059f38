import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { gatewayApp, isGatewayInstalled } from '../apps/config/folders.ts';
import { readManifest } from '../core/manifest.ts';
import { productFolder } from '../core/product.ts';

/** Location and licence of the sources, as far as the project's package.json has them. */
export interface Project {
  readonly license?: string;
  readonly source?: string;
}

const repository = z.union([z.string(), z.object({ url: z.string() }).transform(({ url }) => url)]);
/** Other forms, such as the licence as an object, which npm took long ago, give no label. */
const projectSchema = z.object({
  license: z.string().optional().catch(undefined),
  repository: repository.optional().catch(undefined),
});

/**
 * Reads licence and location of the sources from a project's package.json, as far as there is one.
 * @throws ProblemsError when it is not a JSON object
 */
export function readProject(root: string): Project {
  const file = join(root, 'package.json');
  const { license, repository: source } = projectSchema.parse(existsSync(file) ? readManifest(file) : {});
  return { ...(license === undefined ? {} : { license }), ...(source === undefined ? {} : { source }) };
}

/** What the image of an app is labelled with: the project's, or meshwright's for the gateway that it brings. */
export function projectOf(root: string, directory: string): Project {
  return readProject(isGatewayInstalled && directory === gatewayApp ? productFolder : root);
}

/** Folder of the npm package with Node's program for this machine, which the commands and the apps' images run on. */
export function nodeFolder(): string {
  return dirname(
    createRequire(join(productFolder, 'package.json')).resolve(`${nodePackageName}/package.json`),
  );
}

const nodePackageName = `node-linux-${process.arch}`;
const nodeSchema = z.object({ optionalDependencies: z.record(z.string(), z.string()) });

/**
 * Version of that package, as package.json pins it.
 * @param product - folder of the package that pins it
 */
export function nodeVersion(product = productFolder): string {
  const text = readFileSync(join(product, 'package.json'), 'utf8');
  const { [nodePackageName]: version } = nodeSchema.parse(JSON.parse(text)).optionalDependencies;
  if (version === undefined) throw new Error(`package.json: optionalDependencies lacks ${nodePackageName}`);
  return version;
}
