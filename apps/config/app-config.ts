import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { nearest } from '../../core/names.ts';
import { ProblemsError, throwIfAny } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import { appFolder, gatewayApp, isGatewayInstalled } from './folders.ts';
import { checkRules } from './rules.ts';
import { appConfigSchema } from './schema.ts';

/** An app's config.yml: everything the charts and the image builder need to know about the app. */
export interface AppConfig {
  /** Equal to its folder's name; image name and default workload name. A DNS label. */
  readonly name: string;
  /** Relative to the project's root, with forward slashes: `apps/catalog`. */
  readonly directory: string;
  /** Fully qualified proto services it serves. */
  readonly services: readonly string[];
  /**
   * TCP ports, at least one. `http` is the port of the app's own HTTP server, or with {@link httpGateway} that of
   * the gateway container in its pod.
   */
  readonly ports: { readonly grpc?: number; readonly http?: number };
  readonly image: {
    readonly version: string;
    readonly title: string;
    readonly description: string;
    /** Node and V8 options that the program is started with: `--max-semi-space-size=4`. @default none */
    readonly nodeOptions: readonly string[];
  };
  /** Kubernetes quantities. */
  readonly resources: {
    readonly requests: { readonly cpu: string; readonly memory: string };
    readonly limits: { readonly cpu?: string; readonly memory: string };
  };
  /** Pods per cluster; with {@link autoscaling}, the minimum. */
  readonly replicas: number;
  /** Adds pods while the present ones are busy. Needs a metrics server. @default - always `replicas` */
  readonly autoscaling?: {
    /** Maximum number of pods per cluster. */
    readonly maxReplicas: number;
    /** Target average CPU utilization, in percent of what each container requests. @default 70 */
    readonly cpuPercent: number;
  };
  /** How a pod shuts down; shutdown.ts says what else has to fit into the grace period. */
  readonly shutdown: {
    /** How long calls in flight may take once no new ones are accepted. @default 15 */
    readonly drainSeconds: number;
    /** From SIGTERM to SIGKILL. @default 30 */
    readonly graceSeconds: number;
  };
  /** Environment variables of the container, by name. A secret is only referenced. */
  readonly env: Readonly<Record<string, EnvValue>>;
  /** Whether the pod also carries the HTTP gateway container. */
  readonly httpGateway: boolean;
}

/**
 * A variable's value: plain text, text that only looks like a secret, or a key of a Secret or ConfigMap in the
 * workload's namespace. The owner of the Secret or ConfigMap creates it in every cluster that the workload runs in; the
 * pods start once it exists.
 */
export type EnvValue =
  | string
  | { readonly secret: string; readonly key: string }
  | { readonly configMap: string; readonly key: string }
  | {
      readonly value: string;
      /** Why this is not a secret, although its name or value looks like one: one line. */
      readonly notSecret: string;
    };

/**
 * Reads `<root>/<directory>/config.yml`.
 * @throws ProblemsError listing every problem of the file.
 */
export function loadAppConfig(root: string, directory: string): AppConfig {
  const file = `${directory}/config.yml`;
  const path = join(appFolder(root, directory), 'config.yml');
  if (!existsSync(path)) throw new ProblemsError([missingFile(root, directory, file)]);
  return parseAppConfig(directory, parseYaml(readFileSync(path, 'utf8'), file));
}

/**
 * Reads every `apps/<name>/config.yml`, ordered by name.
 * @throws ProblemsError listing every problem of every file.
 */
export function loadAppConfigs(root: string): readonly AppConfig[] {
  const configs: AppConfig[] = [];
  const problems: Problem[] = [];
  for (const directory of appDirectories(root)) {
    try {
      configs.push(loadAppConfig(root, directory));
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

/**
 * Checks an already parsed config.yml of the given directory.
 * @throws ProblemsError listing every problem.
 */
export function parseAppConfig(directory: string, value: unknown): AppConfig {
  const file = `${directory}/config.yml`;
  const where = (...path: PropertyKey[]) => (path.length === 0 ? file : `${file}: ${keyPath(path)}`);
  const parsed = appConfigSchema.safeParse(value, { reportInput: true });
  const problems = parsed.success ? [] : parsed.error.issues.flatMap((issue) => toProblems(issue, where));
  problems.push(...checkRules(value, basename(directory), where));
  throwIfAny(problems);
  return { directory, ...(parsed.data as Omit<AppConfig, 'directory'>) };
}

function toProblems(issue: z.core.$ZodIssue, where: (...path: PropertyKey[]) => string): Problem[] {
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
  if (issue.path[0] === 'env') return [{ ...problem, what: `wrong value of type ${kindOf(issue.input)}` }];
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
