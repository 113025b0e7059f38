import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type * as Prettier from 'prettier';
import { z } from 'zod';
import { ProblemsError, throwIfAny } from '../core/problem.ts';
import type { Problem } from '../core/problem.ts';
import { isSource, productFolder } from '../core/product.ts';
import { declareService } from './edits.ts';
import { writeAll } from './files.ts';
import { namesOf, protoPackageRule } from './names.ts';
import type { ServiceNames } from './names.ts';
import { serviceFiles } from './templates.ts';
import type { ProjectFile } from './templates.ts';

/** The created and changed files, as paths relative to the root. */
export interface Scaffolded {
  readonly names: ServiceNames;
  readonly created: readonly string[];
  readonly changed: readonly string[];
}

/** Entries of a checkout that are not part of the project. */
const notCopied = /^(node_modules|coverage|\.git|\.meshwright.*)$/;

/**
 * Creates a service that passes `npm test` and runs in the lab: proto, app, construct, generated code and dist. Everything is
 * checked, generated and synthesized in a copy of the project first, so a failure leaves the project unchanged.
 * @throws ProblemsError with the problems of the name or of the files to edit; exit code 1 when a step fails
 */
export async function scaffold(root: string, name: string): Promise<Scaffolded> {
  const names = namesOf(name, protoPackageOf(root));
  if (!('camel' in names)) throw new ProblemsError([names]);
  throwIfAny(clashes(root, names));
  const created = serviceFiles(names, isSource ? 'source' : 'package');
  const before = readFileSync(join(root, 'mesh.ts'), 'utf8');
  const edited = [{ path: 'mesh.ts', text: declareService(before, names) }];
  const files = await Promise.all([...created, ...edited].map((file) => formatted(root, file)));
  rehearse(root, files);
  // The rehearsal takes a while, in which an editor or another command may have written it.
  if (readFileSync(join(root, 'mesh.ts'), 'utf8') !== before)
    throw new ProblemsError(
      [{ where: 'mesh.ts', what: 'was changed by someone else meanwhile', fix: 'run the command again' }],
      1,
    );
  writeAll(root, files);
  render(root, 'failed after the service was written; correct the error below and run it again');
  return { names, created: created.map(({ path }) => path), changed: edited.map(({ path }) => path) };
}

async function formatted(root: string, { path, text }: ProjectFile): Promise<ProjectFile> {
  if (path.endsWith('.proto')) return { path, text };
  const prettier = await prettierOf(root);
  const filepath = join(root, path);
  const options = { ...(await prettier?.resolveConfig(filepath)), filepath };
  return { path, text: (await prettier?.format(text, options)) ?? text };
}

/** The project's prettier; a project without one gets the files as they are. */
async function prettierOf(root: string): Promise<typeof Prettier | undefined> {
  try {
    const path = createRequire(join(root, 'package.json')).resolve('prettier');
    return ((await import(pathToFileURL(path).href)) as { default: typeof Prettier }).default;
  } catch {
    return undefined;
  }
}

const manifestSchema = z.object({
  meshwright: z.object({ protoPackage: z.string().regex(protoPackageRule) }),
});

/** The first component of the project's proto packages, as its package.json names it. */
function protoPackageOf(root: string): string {
  const content: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { data } = manifestSchema.safeParse(content);
  if (data !== undefined) return data.meshwright.protoPackage;
  const received = (content as { readonly meshwright?: unknown } | null)?.meshwright;
  throw new ProblemsError([
    {
      where: 'package.json: meshwright.protoPackage',
      what: 'does not name the first part of your proto packages',
      received,
      allowed: 'a-z and 0-9, starting with a letter, such as shop',
      fix: 'add `"meshwright": { "protoPackage": "shop" }`, where your packages are called shop.orders.v1 and the like',
    },
  ]);
}

/** Conflicts of the name with the project. */
function clashes(root: string, { name, snake, many, protoPackage }: ServiceNames): readonly Problem[] {
  const fix = 'choose another name';
  const taken = [
    { where: `apps/${name}`, what: 'there is an app of this name', fix },
    { where: `proto/${protoPackage}/${snake}`, what: 'there is a proto package of this name', fix },
  ].filter(({ where }) => existsSync(join(root, where)));
  if (taken.length > 0) return taken;
  const path = `/v1/${many.kebab}`;
  const rival = protosOf(root).find(({ text }) => new RegExp(`"${path}["/:{]`).test(text));
  return rival === undefined
    ? []
    : [{ where: rival.path, what: `serves the HTTP path ${path} already`, fix }];
}

function protosOf(root: string): readonly ProjectFile[] {
  return readdirSync(join(root, 'proto'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.proto'))
    .map((path) => ({ path: `proto/${path}`, text: readFileSync(join(root, 'proto', path), 'utf8') }));
}

/** Generates and synthesizes in a copy, so that a failure does not touch the project. */
function rehearse(root: string, files: readonly ProjectFile[]): void {
  const copy = mkdtempSync(join(tmpdir(), 'meshwright-new-'));
  try {
    copyProject(root, copy);
    writeAll(copy, files);
    render(copy, 'failed in a copy of the project with the new service; the project is as it was');
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** Copies a checkout without entries that are not part of the project; the installed packages are linked. */
export function copyProject(root: string, copy: string): void {
  for (const entry of readdirSync(root).filter((each) => !notCopied.test(each))) {
    cpSync(join(root, entry), join(copy, entry), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
}

/** Updates gen/ and dist/, as `npm run synth` does. */
function render(root: string, failed: string): void {
  const script = isSource ? join(root, 'scripts', 'run.js') : join(productFolder, 'scripts', 'meshwright.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, 'synth'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  if (status === 0) return;
  throw new ProblemsError(
    [{ where: 'npm run synth', what: `${failed}:\n${`${stdout}${stderr}`.trim()}` }],
    1,
  );
}
