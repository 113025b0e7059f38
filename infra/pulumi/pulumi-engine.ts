import { LocalWorkspace, StackNotFoundError } from '@pulumi/pulumi/automation/index.js';
import type { Stack } from '@pulumi/pulumi/automation/index.js';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { secretMode, writeFileAtomic } from '../../core/files.ts';
import { ProblemsError } from '../../core/problem.ts';
import { followUpdate } from './pulumi-progress.ts';
import { prepareRemoval } from './pulumi-state.ts';
import { project, writeConfig } from '../plan/stack-config.ts';
import type { StackConfig } from '../plan/stack-config.ts';
import { isKeyService, readEncryption, settleEncryption } from './stack-encryption.ts';
import type { StackEncryption } from './stack-encryption.ts';

export interface PulumiOptions {
  /** The repository's root, whose infra/ is the program. */
  readonly root: string;
  /** Folder of the stack's settings, state and passphrase. */
  readonly stateDir: string;
  readonly stack: string;
  /** Keeps the state in `stateDir` whatever the environment says, for clusters that nobody else can know. @default false */
  readonly local?: boolean;
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

/**
 * Brings the mesh up with Pulumi's engine, through its Automation API.
 * The state is in a file backend in `stateDir` unless PULUMI_BACKEND_URL names another one. Its secrets are encrypted as the
 * stack's file says (`secretsprovider`, `encryptedkey`, `encryptionsalt`), by default with the passphrase of the environment
 * (PULUMI_CONFIG_PASSPHRASE or its _FILE), else with one made in `stateDir`.
 * It is compared with the clusters first, so that what was changed or deleted by hand is put right. A preview goes before: it
 * tells how much there is to do, and what the policy pack refuses is refused before anything is changed.
 * @throws ProblemsError: exit 2 for a stack's file whose encryption is not that of the state, exit 1 with Pulumi's last lines.
 */
export async function upWithPulumi(config: StackConfig, options: PulumiOptions): Promise<PulumiSummary> {
  const stack = await openStack(options);
  return inPulumi('up', options, async (output) => {
    await stack.setAllConfig(
      Object.fromEntries(
        Object.entries(writeConfig(config)).map(([key, value]) => [`${project}:${key}`, { value }]),
      ),
    );
    // Whatever has no provider of its own would go to the cluster that kubectl happens to point at.
    await stack.setConfig('pulumi:disable-default-providers[0]', { value: '*' }, true);
    await removeStaleLock(stack, options);
    const common = { ...output, refresh: true, policyPacks: [join(options.root, 'infra', 'policy')] };
    const report = (line: string) => {
      options.report(`pulumi: ${line}`);
    };
    const { changeSummary } = await stack.preview({ ...common, onEvent: followUpdate('preview', report) });
    const planned = Object.values(changeSummary).reduce((sum, number) => sum + number, 0);
    const onEvent = followUpdate('up', report, planned);
    const { summary } = await stack.up({ ...common, onEvent, suppressOutputs: true });
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
 * Deletes what {@link upWithPulumi} made, the protected CAs included, and its stack; says so when there is none.
 * Namespaces and definitions of custom resources stay: others' objects would go with them. `removeMesh` takes the free ones.
 * @throws ProblemsError (exit 1) with Pulumi's last lines.
 */
export async function downWithPulumi(options: PulumiOptions): Promise<void> {
  if (!existsSync(join(options.stateDir, 'Pulumi.yaml'))) {
    options.report('pulumi: nothing to remove, there is no stack');
    return;
  }
  await inPulumi('destroy', options, async (output) => {
    try {
      const environment = workspace(options, readEncryption(options.stateDir, options.stack));
      const stack = await LocalWorkspace.selectStack(
        { stackName: options.stack, workDir: options.stateDir },
        environment,
      );
      await removeStaleLock(stack, options);
      await prepareRemoval(options.stack, options.stateDir, environment.envVars);
      const report = (line: string) => {
        options.report(`pulumi: ${line}`);
      };
      await stack.destroy({ ...output, onEvent: followUpdate('destroy', report) });
      await stack.workspace.removeStack(options.stack);
    } catch (error) {
      if (!(error instanceof StackNotFoundError)) throw error;
      options.report(`pulumi: nothing to remove, there is no stack ${options.stack}`);
    }
  });
}

async function openStack(options: PulumiOptions): Promise<Stack> {
  mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
  // A project of its own beside the state: the stack's settings hold the salt of the passphrase and belong there, not
  // in the working tree.
  const settings = {
    name: project,
    main: join(options.root, 'infra'),
    runtime: { name: 'nodejs', options: { typescript: false } },
  };
  const { stack, stateDir } = options;
  const kept = readEncryption(stateDir, stack);
  const encryption = settleEncryption(
    stack,
    readEncryption(options.root, stack),
    kept,
    usesOwnPassphrase(options),
  );
  return inPulumi('stack select', options, () =>
    LocalWorkspace.createOrSelectStack(
      { stackName: stack, workDir: stateDir },
      {
        ...workspace(options, encryption),
        projectSettings: settings,
        // The key that the stack was made with is written there first: Pulumi would make another one.
        ...(!isDeepStrictEqual(encryption, kept) && { stackSettings: { [stack]: { ...encryption } } }),
        ...(encryption.secretsProvider !== undefined && { secretsProvider: encryption.secretsProvider }),
      },
    ),
  );
}

/** Whether the environment has no passphrase for the state's secrets. */
function usesOwnPassphrase({ local = false }: PulumiOptions): boolean {
  return (
    local ||
    (process.env['PULUMI_CONFIG_PASSPHRASE'] === undefined &&
      process.env['PULUMI_CONFIG_PASSPHRASE_FILE'] === undefined)
  );
}

/** Folder of the file backend; undefined when the state is kept elsewhere. */
function ownBackend({ stateDir, local = false }: PulumiOptions): string | undefined {
  return local || process.env['PULUMI_BACKEND_URL'] === undefined ? join(stateDir, 'state') : undefined;
}

/**
 * A run that was killed leaves its lock behind. In our own backend it is stale, because the checkout's lock keeps
 * a second run out; in a backend that is shared it may be somebody's, and Pulumi says what to do.
 */
async function removeStaleLock(stack: Stack, options: PulumiOptions): Promise<void> {
  const backend = ownBackend(options);
  const locks = backend === undefined ? '' : join(backend, '.pulumi', 'locks');
  if (!existsSync(locks)) return;
  const left = readdirSync(locks, { recursive: true, encoding: 'utf8' });
  if (!left.some((file) => file.endsWith('.json'))) return;
  options.report('pulumi: an earlier run was cut off and left its lock, which is removed');
  await stack.cancel();
}

/** Environment of every Pulumi command, and through it of the program. */
function workspace(
  options: PulumiOptions,
  encryption: StackEncryption,
): { readonly envVars: Record<string, string> } {
  const { root, stateDir, local = false } = options;
  const backend = ownBackend(options);
  const ownPassphrase = usesOwnPassphrase(options) && !isKeyService(encryption);
  if (backend !== undefined) mkdirSync(backend, { recursive: true, mode: 0o700 });
  return {
    envVars: {
      // The program is TypeScript as it stands: it needs the project's own Node.
      PATH: [join(root, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(delimiter),
      PULUMI_SKIP_UPDATE_CHECK: 'true',
      ...(backend !== undefined && { PULUMI_BACKEND_URL: `file://${backend}` }),
      ...(ownPassphrase && { PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile(stateDir) }),
      // Pulumi reads this one first where it is set.
      ...(local &&
        ownPassphrase &&
        process.env['PULUMI_CONFIG_PASSPHRASE'] !== undefined && {
          PULUMI_CONFIG_PASSPHRASE: readFileSync(passphraseFile(stateDir), 'utf8'),
        }),
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
  readonly signal: AbortSignal;
}

const shownLines = 8;
const noticeMs = 1_000;

/** Runs Pulumi; what it said last is the failure's explanation. */
async function inPulumi<T>(
  what: string,
  options: PulumiOptions,
  work: (output: PulumiOutput) => Promise<T>,
): Promise<T> {
  const said: string[] = [];
  const forwarded = new AbortController();
  let notice: NodeJS.Timeout | undefined;
  // A terminal's ^C reaches Pulumi too, which takes a second one for an order to stop without tidying up: it is passed on
  // only when Pulumi does not say that it is stopping already.
  const interrupt = () => {
    notice = setTimeout(() => {
      if (!said.some((line) => line.includes('^C received'))) forwarded.abort();
    }, noticeMs);
  };
  options.signal?.addEventListener('abort', interrupt, { once: true });
  // Kept for the explanation of a failure; progress is told by the engine's events.
  const onOutput = (text: string) => {
    said.push(...text.split('\n').filter((line) => line.trim() !== ''));
  };
  try {
    return await work({
      onOutput,
      color: 'never',
      suppressProgress: true,
      signal: forwarded.signal,
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
          fix: 'mend what it names and run the command again; for --engine apply instead, run `npm run down` first',
        },
      ],
      1,
    );
  } finally {
    clearTimeout(notice);
    options.signal?.removeEventListener('abort', interrupt);
  }
}
