import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  rmdirSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { writeFileAtomic } from '../core/files.ts';
import { ProblemsError, throwIfAny } from '../core/problem.ts';
import type { Problem } from '../core/problem.ts';
import { declareService, registerService } from './edits.ts';
import { namesOf } from './names.ts';
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
 * Creates a service that passes `npm test` and runs in the lab: proto, app, registration, construct, generated code and
 * dist. Everything is checked, generated and synthesized in a copy of the project first, so a failure leaves the project
 * unchanged.
 * @throws ProblemsError with the problems of the name or of the files to edit; exit code 1 when a step fails
 */
export async function scaffold(root: string, name: string): Promise<Scaffolded> {
  const names = namesOf(name);
  if (!('camel' in names)) throw new ProblemsError([names]);
  throwIfAny(clashes(root, names));
  const created = serviceFiles(names);
  const edited = [
    edit(root, 'apps/config/services.ts', (source) => registerService(source, names)),
    edit(root, 'mesh.ts', (source) => declareService(source, names)),
  ];
  const files = await Promise.all([...created, ...edited].map((file) => formatted(root, file)));
  rehearse(root, files);
  writeAll(root, files);
  render(root, 'failed after the service was written; correct the error below and run it again');
  return { names, created: created.map(({ path }) => path), changed: edited.map(({ path }) => path) };
}

function edit(root: string, path: string, change: (source: string) => string): ProjectFile {
  return { path, text: change(readFileSync(join(root, path), 'utf8')) };
}

async function formatted(root: string, { path, text }: ProjectFile): Promise<ProjectFile> {
  if (path.endsWith('.proto')) return { path, text };
  const filepath = join(root, path);
  return { path, text: await format(text, { ...(await resolveConfig(filepath)), filepath }) };
}

/** Conflicts of the name with the project. */
function clashes(root: string, { name, snake, many }: ServiceNames): readonly Problem[] {
  const fix = 'choose another name';
  const taken = [
    { where: `apps/${name}`, what: 'there is an app of this name', fix },
    { where: `proto/shop/${snake}`, what: 'there is a proto package of this name', fix },
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

/** Writes all files, or restores them all when one fails. */
function writeAll(root: string, files: readonly ProjectFile[]): void {
  const before = files.map(({ path }) => {
    const file = join(root, path);
    return { file, text: existsSync(file) ? readFileSync(file, 'utf8') : undefined };
  });
  try {
    for (const { path, text } of files) writeFileAtomic(join(root, path), text);
  } catch (error) {
    for (const { file, text } of before) {
      if (text === undefined) removeWithFolders(file);
      else writeFileAtomic(file, text);
    }
    throw error;
  }
}

/** Removes a file and the folders that are empty without it. */
function removeWithFolders(file: string): void {
  rmSync(file, { force: true });
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (!existsSync(folder)) continue;
    if (readdirSync(folder).length > 0) return;
    rmdirSync(folder);
  }
}

/** Updates gen/ and dist/, as `npm run generate` and `npm run synth` do. */
function render(root: string, failed: string): void {
  for (const [script, args] of [
    ['generate', []],
    ['run', ['synth']],
  ] as const) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, 'scripts', `${script}.js`), ...args],
      { cwd: root, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
    );
    if (status === 0) continue;
    const command = script === 'run' ? 'npm run synth' : 'npm run generate';
    throw new ProblemsError([{ where: command, what: `${failed}:\n${`${stdout}${stderr}`.trim()}` }], 1);
  }
}
