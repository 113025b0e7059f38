import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { nearest } from '../../core/names.ts';
import { ProblemsError, throwIfAny } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import { appFolder, gatewayApp, isGatewayInstalled } from './folders.ts';
import { isForeign, type ContainerConfig, type ForeignConfig } from './container.ts';
import { checkForeignRules, foreignConfig } from './foreign.ts';
import { foreignFileSchema, foreignPropsSchema, httpPropsSchema, tcpPropsSchema } from './foreign-schema.ts';
import { at } from './mapping.ts';
import { checkContainerName, checkName, checkRules } from './rules.ts';
import { checkJobRules, jobConfig, jobContainerSchema } from './pod/job-container.ts';
import { inClusterSchema, podSchema } from './pod/schema.ts';
import type { InCluster, PodConfig } from './pod/pod.ts';
import { appConfigSchema } from './schema.ts';
import { checkHttpRules, checkTcpRules, httpConfig, tcpConfig } from './tcp.ts';

export { isForeign, type ContainerConfig, type ForeignConfig, type TcpPorts } from './container.ts';
export type { EnvValue } from './env-value.ts';
export type { AccessMode, OwnVolume, PodManagement, StatefulConfig } from './pod/stateful.ts';

/** A config.yml of an app that is built from its folder: everything the charts and the image builder need to know about it. */
export interface AppConfig extends ContainerConfig {
  /** Relative to the project's root, with forward slashes: `apps/catalog`. Its last part is its {@link name}. */
  readonly directory: string;
  readonly image: {
    readonly version: string;
    readonly title: string;
    readonly description: string;
    /** Node and V8 options that the program is started with: `--max-semi-space-size=4`. @default none */
    readonly nodeOptions: readonly string[];
  };
}

/** What a config.yml says: of an app that is built from its folder, or of an image that is built elsewhere. */
export type AnyConfig = AppConfig | ForeignConfig;

/**
 * Reads `<root>/<directory>/config.yml`, where `image` is the reference of an image or tells what is built.
 * @throws ProblemsError listing every problem of the file.
 */
export function loadConfig(root: string, directory: string): AnyConfig {
  const file = `${directory}/config.yml`;
  const folder = appFolder(root, directory);
  const path = join(folder, 'config.yml');
  if (!existsSync(path)) throw new ProblemsError([missingFile(root, directory, file)]);
  const value = parseYaml(readFileSync(path, 'utf8'), file);
  if (!namesImage(value)) return parseAppConfig(directory, value);
  const config = parseForeignConfig(directory, value);
  if (directory === gatewayApp) throw new ProblemsError([notBuilt(file, config, 'the HTTP gateway')]);
  if (existsSync(join(folder, 'main.ts'))) throw new ProblemsError([neverBuilt(file, config)]);
  return config;
}

/**
 * Reads the config.yml of an app that is built from its folder.
 * @throws ProblemsError listing every problem of the file, or that its image is built elsewhere
 */
export function loadAppConfig(root: string, directory: string): AppConfig {
  const config = loadConfig(root, directory);
  if (!isForeign(config)) return config;
  throw new ProblemsError([notBuilt(`${directory}/config.yml`, config, 'this app')]);
}

/**
 * Reads every `apps/<name>/config.yml` of an app that is built from its folder, ordered by name.
 * @throws ProblemsError listing every problem of every file.
 */
export function loadAppConfigs(root: string): readonly AppConfig[] {
  return loadConfigs(root).flatMap(({ config }) => (isForeign(config) ? [] : [config]));
}

/**
 * Reads every `apps/<name>/config.yml`, ordered by name.
 * @throws ProblemsError listing every problem of every file.
 */
export function loadConfigs(
  root: string,
): readonly { readonly directory: string; readonly config: AnyConfig }[] {
  const configs: { readonly directory: string; readonly config: AnyConfig }[] = [];
  const problems: Problem[] = [];
  for (const directory of appDirectories(root)) {
    try {
      configs.push({ directory, config: loadConfig(root, directory) });
    } catch (error) {
      if (!(error instanceof ProblemsError)) throw error;
      problems.push(...error.problems);
    }
  }
  problems.push(...reservedProblems(root));
  throwIfAny(problems);
  return configs;
}

/** An app of the project in the place of the installed gateway would be built, and never run. */
function reservedProblems(root: string): readonly Problem[] {
  if (!isGatewayInstalled || !existsSync(join(root, gatewayApp, 'config.yml'))) return [];
  return [
    {
      where: gatewayApp,
      what: 'has the name of the HTTP gateway, which comes with meshwright',
      fix: 'give the app, its folder and its config.yml another name',
    },
  ];
}

/** Whether a config.yml names an image, and so is none of an app that is built. */
function namesImage(value: unknown): boolean {
  return typeof at(value, 'image') === 'string';
}

function notBuilt(file: string, { foreign }: ForeignConfig, what: string): Problem {
  return {
    where: `${file}: image`,
    what: `is the reference of an image, and ${what} is built from its folder`,
    received: foreign.reference,
    allowed: 'a mapping with the keys version, title, description, nodeOptions',
  };
}

function neverBuilt(file: string, { foreign }: ForeignConfig): Problem {
  return {
    where: `${file}: image`,
    what: 'is the reference of an image, so that nothing would build the main.ts beside it',
    received: foreign.reference,
    fix: 'remove main.ts, or write image: { version, title, description }',
  };
}

/**
 * Checks an already parsed config.yml of the given directory.
 * @throws ProblemsError listing every problem.
 */
export function parseAppConfig(directory: string, value: unknown): AppConfig {
  const where = whereIn(`${directory}/config.yml`);
  const rules = checkRules(value, basename(directory), where);
  const parsed = parse(appConfigSchema, value, rules, where);
  return { directory, ...(parsed as Omit<AppConfig, 'directory'>) };
}

/**
 * Checks an already parsed config.yml whose image is built elsewhere.
 * @throws ProblemsError listing every problem.
 */
export function parseForeignConfig(directory: string, value: unknown): ForeignConfig {
  const where = whereIn(`${directory}/config.yml`);
  const rules = [...checkName(value, basename(directory), where), ...checkForeignRules(value, where)];
  const { name, services, ...rest } = parse(foreignFileSchema, value, rules, where);
  return foreignConfig({ name, services }, rest as typeof rest & Pick<ForeignConfig, 'pod'>);
}

/**
 * Checks what is declared in code of a container whose image is built elsewhere.
 * @param place - path of its construct, for problems
 * @throws ProblemsError listing every problem.
 */
export function parseForeignProps(
  place: string,
  said: { readonly name: string; readonly services: readonly string[] },
  value: unknown,
): ForeignConfig {
  const where = whereIn(place);
  const rules = [
    ...checkContainerName(said.name, place, 'rename the service'),
    ...checkForeignRules({ ...(value as object), services: said.services }, where),
  ];
  return foreignConfig(said, parse(foreignPropsSchema, value, rules, where));
}

/**
 * Checks what is declared in code of the pods of a workload.
 * @param place - path of its construct, for problems
 * @throws ProblemsError listing every problem.
 */
export function parsePod(place: string, value: unknown): PodConfig {
  return parse(podSchema, value, [], (...path) => `${place}: ${keyPath(['pod', ...path])}`) as PodConfig;
}

/**
 * Checks what is declared in code of a workload in one cluster.
 * @param place - path of its construct, for problems
 * @throws ProblemsError listing every problem.
 */
export function parseInCluster(place: string, cluster: string, value: unknown): InCluster {
  const where: WhereAny = (...path) => `${place}: ${keyPath(['clusters', cluster, ...path])}`;
  return parse(inClusterSchema, value, [], where) as InCluster;
}

/**
 * Checks what is declared of a container that serves something else than gRPC.
 * @param place - path of its construct, for problems
 * @throws ProblemsError listing every problem.
 */
export function parseTcpProps(place: string, name: string, value: unknown): ForeignConfig {
  const where = whereIn(place);
  const rules = [
    ...checkContainerName(name, place, 'rename the service'),
    ...checkTcpRules(name, value, where),
  ];
  return tcpConfig(name, parse(tcpPropsSchema, value, rules, where));
}

/**
 * Checks what is declared of a container that ends by itself.
 * @param place - path of its construct, for problems
 * @throws ProblemsError listing every problem.
 */
export function parseJobContainer(place: string, name: string, value: unknown): ForeignConfig {
  const where = whereIn(place);
  const rules = [...checkContainerName(name, place, 'rename the job'), ...checkJobRules(value, where)];
  return jobConfig(name, parse(jobContainerSchema, value, rules, where));
}

/**
 * Checks what is declared of a container that serves plain HTTP.
 * @param place - path of its construct, for problems
 * @throws ProblemsError listing every problem.
 */
export function parseHttpProps(place: string, name: string, value: unknown): ForeignConfig {
  const where = whereIn(place);
  const rules = [...checkContainerName(name, place, 'rename the service'), ...checkHttpRules(value, where)];
  return httpConfig(name, parse(httpPropsSchema, value, rules, where));
}

type WhereAny = (...path: PropertyKey[]) => string;

/** Names keys of a file, or of a construct's properties. */
function whereIn(place: string): WhereAny {
  return (...path) => (path.length === 0 ? place : `${place}: ${keyPath(path)}`);
}

function parse<T>(schema: z.ZodType<T>, value: unknown, rules: readonly Problem[], where: WhereAny): T {
  const parsed = schema.safeParse(value, { reportInput: true });
  const wrong = parsed.success ? [] : parsed.error.issues.flatMap((issue) => toProblems(issue, where));
  throwIfAny([...wrong, ...rules]);
  return parsed.data as T;
}

function toProblems(issue: z.core.$ZodIssue, where: WhereAny): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    const allowed = issue.message.replace('a mapping with the keys ', '');
    return issue.keys.map((key) => {
      const near = nearest(key, allowed.split(', '));
      return {
        where: where(...issue.path, key),
        what: 'unknown key',
        allowed,
        fix: near === undefined ? 'remove it' : `did you mean ${near}?`,
      };
    });
  }
  const problem = { where: where(...issue.path), allowed: issue.message };
  if (issue.input === undefined) return [{ ...problem, what: 'missing' }];
  // A wrong environment value may still be a secret: show only its type.
  if (issue.path.includes('env')) return [{ ...problem, what: `wrong value of type ${kindOf(issue.input)}` }];
  return [{ ...problem, what: 'wrong value', received: issue.input }];
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'list' : typeof value === 'object' ? 'mapping' : typeof value;
}

function keyPath(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`))
    .join('');
}

function parseYaml(text: string, file: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  throwIfAny(
    [...document.errors, ...document.warnings].map((error) => {
      const { line, col } = lines.linePos(error.pos[0]);
      return { where: `${file}:${line}:${col}`, what: `not valid YAML: ${error.message}` };
    }),
  );
  try {
    return document.toJS();
  } catch (error) {
    // toJS() resolves the aliases: it throws when one has no anchor, or when there are too many.
    throw new ProblemsError([
      { where: file, what: `not valid YAML: ${error instanceof Error ? error.message : String(error)}` },
    ]);
  }
}

function appDirectories(root: string): string[] {
  const entries = existsSync(join(root, 'apps')) ? readdirSync(join(root, 'apps')) : [];
  const own = entries
    .filter((name) => existsSync(join(root, 'apps', name, 'config.yml')))
    .map((name) => `apps/${name}`);
  return [...new Set([...own, ...(isGatewayInstalled ? [gatewayApp] : [])])].sort();
}

function missingFile(root: string, directory: string, file: string): Problem {
  const known = appDirectories(root);
  const near = nearest(directory, known);
  return {
    where: file,
    what: 'no such file',
    allowed: known.length === 0 ? 'a folder with a config.yml' : known.join(', '),
    fix: near === undefined ? `create ${file}` : `did you mean ${near}?`,
  };
}
