import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { BuildFailure, Message, Metafile } from 'esbuild';
import { z } from 'zod';
import { appFolder, gatewayApp, isGatewayInstalled } from '../apps/config/folders.ts';
import { allOrProblems } from '../core/all-or-problems.ts';
import { isSource } from '../core/product.ts';
import { ProblemsError } from '../core/problem.ts';

/** An npm package whose code is in a bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression as its package.json gives it. */
  readonly license?: string;
}

/** An app as one file. */
export interface Bundle {
  readonly code: string;
  /** The packages whose code is in it, ordered by name and version. */
  readonly packages: readonly BundledPackage[];
}

/** CommonJS packages inside an ES module still need `require`. */
const banner =
  "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);";

/**
 * Bundles `<directory>/main.ts` and all it imports into one ES module for Node 24: the same bytes for the same
 * sources, wherever the project is and whatever its folders are called, so that moving a file changes no image.
 * @param directory Relative to the root: `apps/catalog`.
 * @throws ProblemsError (exit code 2) with every error by file and line.
 */
export async function bundleApp(root: string, directory: string): Promise<Bundle> {
  const [bundle] = await bundleApps(root, [directory]);
  if (bundle === undefined) throw new Error(`${directory} was not bundled`);
  return bundle;
}

/** Bundles several apps as {@link bundleApp} does each, in their order: what they share is read only once. */
export async function bundleApps(root: string, directories: readonly string[]): Promise<readonly Bundle[]> {
  // The gateway is installed as a bundle, outside a checkout.
  const made = directories.filter((directory) => !isGatewayInstalled || directory !== gatewayApp);
  const bundles = made.length === 0 ? [] : await bundleSources(root, made);
  return directories.map((directory) => bundles[made.indexOf(directory)] ?? readBundle(root, directory));
}

/** An app that is installed as a bundle has it in these files. */
export const bundleFiles = { code: 'main.js', packages: 'packages.json' } as const;

function readBundle(root: string, directory: string): Bundle {
  const read = (file: string) => readFileSync(join(appFolder(root, directory), file), 'utf8');
  const packages = z.array(bundledSchema).parse(JSON.parse(read(bundleFiles.packages)));
  return { code: read(bundleFiles.code), packages };
}

async function bundleSources(root: string, directories: readonly string[]): Promise<readonly Bundle[]> {
  // Loaded when it is needed: most commands bundle nothing.
  const { build } = await import('esbuild');
  try {
    const { outputFiles, metafile } = await build({
      absWorkingDir: root,
      entryPoints: directories.map(entryOf),
      outdir: 'bundles',
      outbase: '.',
      bundle: true,
      write: false,
      metafile: true,
      platform: 'node',
      target: 'node24',
      format: 'esm',
      banner: { js: banner },
      // A checkout may share its packages by a link: their paths, which the bundle names, stay those of the checkout. In other
      // projects a link leads to where a package's own packages are, as pnpm lays them out.
      preserveSymlinks: isSource,
      logLevel: 'silent',
    });
    const inputs = Object.keys(metafile.inputs);
    return directories.map((directory) => {
      const [path, output] =
        Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === entryOf(directory)) ??
        [];
      const file = outputFiles.find((one) => one.path === join(root, path ?? ''));
      if (output === undefined || file === undefined) throw new Error(`${directory} has no bundle`);
      return { code: withoutPaths(file.text, inputs), packages: packagesOf(root, output) };
    });
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    const [only, ...more] = directories;
    if (only !== undefined && more.length === 0)
      throw new ProblemsError(error.errors.map((message) => toProblem(only, message)));
    // One by one, as only then it is known whose errors they are.
    return allOrProblems(directories.map((directory) => bundleApp(root, directory)));
  }
}

const entryOf = (directory: string) => `${directory}/main.ts`;

/**
 * esbuild writes a file's path as a comment above its code, and as the key of a module that is loaded on demand. The
 * comments of all files are removed, and the project's own files keep their name without the folder as their key.
 */
function withoutPaths(code: string, inputs: readonly string[]): string {
  const known = new Set(inputs);
  return code
    .replaceAll(/^\/\/ (.+)\n/gm, (line, path: string) => (known.has(path) ? '' : line))
    .replaceAll(/^ {2}"(.+?)"(?=\()/gm, (key, path: string) =>
      known.has(path) && !path.includes('node_modules/') ? `  "${basename(path)}"` : key,
    );
}

const packageSchema = z.object({ name: z.string(), version: z.string(), license: z.string().optional() });
const bundledSchema = packageSchema.extend({ license: z.string().exactOptional() });

/** The packages that still have bytes in the output after tree shaking. */
function packagesOf(root: string, { inputs }: Metafile['outputs'][string]): readonly BundledPackage[] {
  const folders = Object.entries(inputs)
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .flatMap(([path]) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
  const found = new Map<string, BundledPackage>();
  for (const folder of new Set(folders)) {
    const text = readFileSync(join(root, folder, 'package.json'), 'utf8');
    const { name, version, license } = packageSchema.parse(JSON.parse(text));
    found.set(`${name}@${version}`, { name, version, ...(license === undefined ? {} : { license }) });
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, bundled]) => bundled);
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error;
}

function toProblem(directory: string, { text, location }: Message) {
  const where = location === null ? directory : `${location.file}:${location.line}:${location.column + 1}`;
  return { where, what: text };
}
