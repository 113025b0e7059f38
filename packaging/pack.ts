import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { run } from '../core/run.ts';
import { bundleApp, bundleFiles } from '../images/bundle.ts';
import { builderIdentity, identityFile } from '../images/key.ts';
import { closureOf } from './closure.ts';
import { emit } from './emit.ts';
import { gatewayManifest, manifestOf, type Root } from './manifest.ts';
import { packages, stageName, type PackageSpec } from './packages.ts';

/** A package as npm installs it. */
export interface Packed {
  readonly name: string;
  /** Path of the tarball. */
  readonly file: string;
  /** Number of files in it. */
  readonly files: number;
  /** Bytes of the tarball, and of what it holds. */
  readonly size: number;
  readonly unpackedSize: number;
}

const rootSchema = z.object({
  version: z.string(),
  license: z.string(),
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
  optionalDependencies: z.record(z.string(), z.string()),
});

const packedSchema = z.array(
  z.object({
    name: z.string(),
    filename: z.string(),
    entryCount: z.number(),
    size: z.number(),
    unpackedSize: z.number(),
  }),
);

const compiled = (source: string) => source.replace(/\.ts$/, '.js');
const declared = (source: string) => source.replace(/\.ts$/, '.d.ts');

/**
 * Makes the npm packages of this checkout.
 * @param root - root of the checkout
 * @param folder - where to: a folder for each package, and the tarballs; emptied before
 */
export async function pack(
  root: string,
  folder: string,
  report: (line: string) => void,
): Promise<readonly Packed[]> {
  const project = rootSchema.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
  rmSync(folder, { recursive: true, force: true });
  const built = join(folder, 'compiled');
  report('packages: compiling the sources');
  emit(root, [...new Set(packages.flatMap(entriesOf))], built);
  // The generated code is JavaScript with declarations already.
  cpSync(join(root, 'gen'), join(built, 'gen'), { recursive: true });
  const stages = packages.map((spec) => stage(root, folder, spec, project));
  stages.push(await stageGateway(root, folder, project));
  rmSync(built, { recursive: true });
  const packed: Packed[] = [];
  for (const each of stages) {
    packed.push(await packOne(folder, each));
  }
  return packed;
}

function entriesOf({ exports, programs = [], elsewhere = {} }: PackageSpec): readonly string[] {
  return [...Object.values(exports), ...programs, ...Object.keys(elsewhere)];
}

/** Lays a package out; returns its folder's name. */
function stage(root: string, folder: string, spec: PackageSpec, project: Root): string {
  const { exports, programs = [], elsewhere = {}, assets = [], beside = [] } = spec;
  const built = join(folder, 'compiled');
  const brought = new Map(Object.entries(elsewhere).map(([source, name]) => [compiled(source), name]));
  const sources = [...Object.values(exports), ...programs];
  const code = closureOf(built, sources.map(compiled), (file) => brought.has(file));
  const types = closureOf(built, Object.values(exports).map(declared));
  const name = stageName(spec.name);
  const target = join(folder, name);
  for (const file of [...code.files, ...types.files]) copy(join(built, file), join(target, 'lib', file));
  for (const [file, from] of brought) write(join(target, 'lib', file), `export * from '${from}';\n`);
  if (code.files.includes('images/key.js'))
    write(join(target, 'lib/images', identityFile), builderIdentity());
  for (const file of beside) copy(join(root, file), join(target, 'lib', file));
  for (const asset of assets) copy(join(root, asset), join(target, asset));
  for (const file of ['LICENSE', 'CHANGELOG.md']) copy(join(root, file), join(target, file));
  // What a new project's lock starts from.
  if (spec.project !== undefined) copy(join(root, 'images.lock.json'), join(target, 'images.lock.json'));
  const imported = [...new Set([...code.packages, ...types.packages])];
  write(join(target, 'package.json'), json(manifestOf(spec, imported, project)));
  return name;
}

/** The gateway as one file, which is what its image holds. */
async function stageGateway(root: string, folder: string, project: Root): Promise<string> {
  const name = stageName('@meshwright/gateway');
  const target = join(folder, name);
  const { code, packages: bundled } = await bundleApp(root, 'apps/gateway');
  write(join(target, bundleFiles.code), code);
  write(join(target, bundleFiles.packages), json(bundled));
  copy(join(root, 'apps/gateway/config.yml'), join(target, 'config.yml'));
  copy(join(root, 'LICENSE'), join(target, 'LICENSE'));
  write(join(target, 'package.json'), json(gatewayManifest(project)));
  return name;
}

async function packOne(folder: string, name: string): Promise<Packed> {
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', `./${name}`], { cwd: folder });
  const [made] = packedSchema.parse(JSON.parse(stdout));
  if (made === undefined) throw new Error(`npm packed nothing of ${name}`);
  const { entryCount: files, size, unpackedSize, filename } = made;
  return { name: made.name, file: join(folder, filename), files, size, unpackedSize };
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
