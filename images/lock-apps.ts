import { loadAppConfigs } from '../apps/config/app-config.ts';
import { own } from '../core/own.ts';
import { throwIfAny } from '../core/problem.ts';
import { productFolder } from '../core/product.ts';
import type { Problem } from '../core/problem.ts';
import { appImage, buildApp } from './app-image.ts';
import { bundleApps } from './bundle.ts';
import { lockFile, readLock, writeLock } from './lock.ts';
import type { LockedApps, LockedBase } from './lock.ts';
import { nodeVersion, projectOf } from './project.ts';

/** Bundles the apps' sources and computes their images on a base. */
export async function lockApps(root: string, base: LockedBase): Promise<LockedApps> {
  const configs = loadAppConfigs(root);
  const bundles = await bundleApps(
    root,
    configs.map(({ directory }) => directory),
  );
  const apps = configs.flatMap((config, index) => {
    const bundle = bundles[index];
    if (bundle === undefined) return [];
    const { tag, digest } = buildApp(appImage(config, bundle, projectOf(root, config.directory)), base);
    return [[config.name, { tag, digest }] as const];
  });
  return Object.fromEntries(apps);
}

/**
 * Updates the apps in the lock from their sources.
 * @returns Whether the file was written.
 */
export async function refreshLock(root: string): Promise<boolean> {
  const { base } = readLock(root);
  return writeLock(root, { base, apps: await lockApps(root, base) });
}

/**
 * Checks that the lock has the images of the apps' sources, without building them.
 * @param product - folder of the package that pins Node
 * @throws ProblemsError naming each app whose image differs
 */
export async function checkLock(root: string, product = productFolder): Promise<void> {
  const { base, apps } = readLock(root);
  const made = await lockApps(root, base);
  const names = [...new Set([...Object.keys(apps), ...Object.keys(made)])].sort();
  throwIfAny([
    ...nodeProblems(product, base),
    ...names.flatMap((name): readonly Problem[] => {
      const [locked, source] = [own(apps, name), own(made, name)];
      if (locked?.digest === source?.digest && locked?.tag === source?.tag) return [];
      return [
        { where: `${lockFile}: apps.${name}`, ...lockProblem(locked !== undefined, source !== undefined) },
      ];
    }),
  ]);
}

function nodeProblems(product: string, { node }: LockedBase): readonly Problem[] {
  const allowed = nodeVersion(product);
  if (node === allowed) return [];
  const what = 'is not the version that package.json asks for';
  const fix = 'run npm run images -- --update-base, then npm run synth';
  return [{ where: `${lockFile}: base.node`, what, received: node, allowed, fix }];
}

function lockProblem(locked: boolean, source: boolean): Pick<Problem, 'what' | 'fix'> {
  const fix = `run npm run synth and commit ${lockFile} and dist/`;
  if (!locked) return { what: 'the app has no image in the lock', fix };
  return { what: source ? 'the sources build a different image' : 'there is no such app', fix };
}
