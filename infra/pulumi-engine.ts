import { LocalWorkspace, StackNotFoundError } from '@pulumi/pulumi/automation/index.js';
import type { Stack } from '@pulumi/pulumi/automation/index.js';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { secretMode, writeFileAtomic } from '../core/files.ts';
import { ProblemsError } from '../core/problem.ts';
import { writeConfig } from './stack-config.ts';
import type { StackConfig } from './stack-config.ts';

export interface PulumiOptions {
  /** The repository's root, whose infra/ is the program. */
  readonly root: string;
  /** Folder of the stack's settings, state and passphrase. */
  readonly stateDir: string;
  readonly stack: string;
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** What an update did, in resources: objects, and the components and providers around them. */
export interface PulumiSummary {
  readonly created: number;
  readonly changed: number;
  readonly deleted: number;
  readonly unchanged: number;
}

const project = 'meshwright';

/**
 * Brings the mesh up with Pulumi's engine, through its Automation API.
 * The state is in a file backend in `stateDir` unless PULUMI_BACKEND_URL names another one; the state's secrets are
 * encrypted with the passphrase of the environment (PULUMI_CONFIG_PASSPHRASE or its _FILE), else with one made in `stateDir`.
 * @throws ProblemsError (exit 1) with Pulumi's last lines.
 */
export async function upWithPulumi(config: StackConfig, options: PulumiOptions): Promise<PulumiSummary> {
  const stack = await openStack(options);
  return inPulumi('up', options, async (output) => {
    const values = Object.entries(
      writeConfig({ ...config, trustDir: resolve(options.root, config.trustDir) }),
    );
    await stack.setAllConfig(
      Object.fromEntries(values.map(([key, value]) => [`${project}:${key}`, { value }])),
    );
    const { summary } = await stack.up({ ...output, suppressOutputs: true });
    const count = (...operations: readonly string[]) =>
      operations.reduce(
        (sum, name) => sum + ((summary.resourceChanges as Record<string, number> | undefined)?.[name] ?? 0),
        0,
      );
    return {
      created: count('create', 'create-replacement'),
      changed: count('update', 'replace'),
      deleted: count('delete', 'delete-replaced'),
      unchanged: count('same'),
    };
  });
}

/**
 * Deletes what {@link upWithPulumi} made, and its stack; says so when there is none.
 * @throws ProblemsError (exit 1) with Pulumi's last lines.
 */
export async function downWithPulumi(options: PulumiOptions): Promise<void> {
  if (!existsSync(join(options.stateDir, 'Pulumi.yaml'))) {
    options.report('pulumi: nothing to remove, there is no stack');
    return;
  }
  await inPulumi('destroy', options, async (output) => {
    try {
      const stack = await LocalWorkspace.selectStack(
        { stackName: options.stack, workDir: options.stateDir },
        workspace(options),
      );
      await stack.destroy(output);
      await stack.workspace.removeStack(options.stack);
    } catch (error) {
      if (!(error instanceof StackNotFoundError)) throw error;
      options.report(`pulumi: nothing to remove, there is no stack ${options.stack}`);
    }
  });
}

function openStack(options: PulumiOptions): Promise<Stack> {
  mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
  // A project of its own beside the state: the stack's settings hold the salt of the passphrase and belong there, not
  // in the working tree.
  const settings = {
    name: project,
    main: join(options.root, 'infra'),
    runtime: { name: 'nodejs', options: { typescript: false } },
  };
  return inPulumi('stack select', options, () =>
    LocalWorkspace.createOrSelectStack(
      { stackName: options.stack, workDir: options.stateDir },
      { ...workspace(options), projectSettings: settings },
    ),
  );
}

/** Environment of every Pulumi command, and through it of the program. */
function workspace({ root, stateDir }: PulumiOptions): { readonly envVars: Record<string, string> } {
  const backend = join(stateDir, 'state');
  const ownPassphrase =
    process.env['PULUMI_CONFIG_PASSPHRASE'] === undefined &&
    process.env['PULUMI_CONFIG_PASSPHRASE_FILE'] === undefined;
  if (process.env['PULUMI_BACKEND_URL'] === undefined) mkdirSync(backend, { recursive: true, mode: 0o700 });
  return {
    envVars: {
      // The program is TypeScript as it stands: it needs the project's own Node.
      PATH: [join(root, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(delimiter),
      PULUMI_SKIP_UPDATE_CHECK: 'true',
      ...(process.env['PULUMI_BACKEND_URL'] === undefined && { PULUMI_BACKEND_URL: `file://${backend}` }),
      ...(ownPassphrase && { PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile(stateDir) }),
    },
  };
}

/** A random passphrase, made once. */
function passphraseFile(stateDir: string): string {
  const file = join(stateDir, 'passphrase');
  if (!existsSync(file)) writeFileAtomic(file, randomBytes(32).toString('base64url'), secretMode);
  return file;
}

interface PulumiOutput {
  readonly onOutput: (text: string) => void;
  readonly color: 'never';
  readonly suppressProgress: true;
  readonly signal?: AbortSignal;
}

const shownLines = 8;

/** Runs Pulumi with its lines as progress; what it said last is the failure's explanation. */
async function inPulumi<T>(
  what: string,
  options: PulumiOptions,
  work: (output: PulumiOutput) => Promise<T>,
): Promise<T> {
  const said: string[] = [];
  const onOutput = (text: string) => {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    said.push(...lines);
    for (const line of lines) options.report(`pulumi: ${line.trim()}`);
  };
  try {
    return await work({
      onOutput,
      color: 'never',
      suppressProgress: true,
      ...(options.signal && { signal: options.signal }),
    });
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof ProblemsError) throw error;
    const told =
      said.length > 0 ? said : (error instanceof Error ? error.message : String(error)).trim().split('\n');
    throw new ProblemsError(
      [
        {
          where: `pulumi ${what}`,
          what: `failed: ${told
            .slice(-shownLines)
            .map((line) => line.trim())
            .join(' | ')}`,
          fix: 'mend what it names and run the command again, or use --engine apply',
        },
      ],
      1,
    );
  }
}
