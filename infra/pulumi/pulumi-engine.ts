import { LocalWorkspace, StackNotFoundError } from '@pulumi/pulumi/automation/index.js';
import type { Stack } from '@pulumi/pulumi/automation/index.js';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { secretMode, writeFileAtomic } from '../../core/files.ts';
import { fileBackendSettings, fileBackendUrl, listValue, removeOldHistory } from './file-backend.ts';
import { followUpdate } from './pulumi-progress.ts';
import { inPulumi } from './pulumi-run.ts';
import { prepareRemoval } from './pulumi-state.ts';
import { environmentVariable } from './stack-environment.ts';
import { project, writeConfig } from '../plan/stack-config.ts';
import type { StackConfig } from '../plan/stack-config.ts';
import { projectName } from './project-name.ts';
import { isKeyService, readEncryption, settleEncryption } from './stack-encryption.ts';
import type { StackEncryption } from './stack-encryption.ts';

export interface PulumiOptions {
  /** The repository's root, whose infra/ is the program. */
  readonly root: string;
  /** Folder of the stack's settings, state and passphrase. */
  readonly stateDir: string;
  readonly stack: string;
  /** The environment of the declaration. */
  readonly environment: string;
  /** Keeps the state in `stateDir` regardless of the environment, for clusters that exist only on this machine. @default false */
  readonly local?: boolean;
  /**
   * Whether the last `up` ended well. If not, the update is made also when a preview finds nothing to change: a preview does not
   * make the checks, and revoke the tokens, that an `up` which was cut off still owes. @default false
   */
  readonly endedWell?: boolean;
  /** Clusters that the mesh is no longer declared in: Pulumi deletes what they have, the protected CA too. @default - none */
  readonly leaving?: readonly string[];
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** The result of an update, in numbers of resources: objects, and the components and providers around them. */
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
 * (PULUMI_CONFIG_PASSPHRASE or its _FILE), else with one created in `stateDir`.
 * The state is refreshed from the clusters first, so that changes and deletions by hand are corrected. A preview runs before
 * that: it counts the resources, and the policy pack rejects violations before anything is changed. When it finds nothing to
 * change in the refreshed state, and the last `up` ended well, that is all.
 * @throws ProblemsError: exit 2 when the encryption in the stack's file is not that of the state, exit 1 with Pulumi's last lines.
 */
export async function upWithPulumi(config: StackConfig, options: PulumiOptions): Promise<PulumiSummary> {
  const stack = await openStack(options);
  return inPulumi('up', options.signal, async (output) => {
    await stack.setAllConfig(
      Object.fromEntries(
        Object.entries(writeConfig(config)).map(([key, value]) => [`${project}:${key}`, { value }]),
      ),
    );
    // A resource without an explicit provider would go to the cluster that kubectl happens to point at.
    await stack.setConfig('pulumi:disable-default-providers[0]', { value: '*' }, true);
    await removeStaleLock(stack, options);
    const { leaving = [] } = options;
    if (leaving.length > 0) {
      const { envVars } = workspace(options, readEncryption(options.stateDir, options.stack));
      await prepareRemoval(options.stack, options.stateDir, envVars, leaving);
    }
    const common = {
      ...output,
      refresh: true,
      policyPacks: [listValue(join(import.meta.dirname, '..', 'policy'))],
    };
    const report = (line: string) => {
      options.report(`pulumi: ${line}`);
    };
    options.signal?.throwIfAborted();
    const { changeSummary } = await stack.preview({ ...common, onEvent: followUpdate('preview', report) });
    const planned = Object.values(changeSummary).reduce((sum, number) => sum + number, 0);
    const unchanged = changeSummary.same ?? 0;
    if (options.endedWell === true && planned > 0 && planned === unchanged) {
      report('the preview finds nothing to change');
      return { created: 0, changed: 0, deleted: 0, unchanged };
    }
    const onEvent = followUpdate('up', report, planned);
    options.signal?.throwIfAborted();
    const { summary } = await stack.up({ ...common, onEvent, suppressOutputs: true });
    const backend = ownBackend(options);
    if (backend !== undefined) removeOldHistory(backend, projectName(options.root), options.stack);
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
 * Deletes what {@link upWithPulumi} created, including the protected CAs, and its stack; reports when there is no stack.
 * Namespaces and custom resource definitions stay, because objects of others would go with them; `removeMesh` removes
 * those that are free.
 * @throws ProblemsError (exit 1) with Pulumi's last lines.
 */
export async function downWithPulumi(options: PulumiOptions): Promise<void> {
  if (!existsSync(join(options.stateDir, 'Pulumi.yaml'))) {
    options.report('pulumi: nothing to remove, there is no stack');
    return;
  }
  await inPulumi('destroy', options.signal, async (output) => {
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
  // A separate project beside the state: the stack's settings contain the salt of the passphrase and belong there, not
  // in the working tree.
  const settings = {
    name: projectName(options.root),
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
  return inPulumi('stack select', options.signal, () =>
    LocalWorkspace.createOrSelectStack(
      { stackName: stack, workDir: stateDir },
      {
        ...workspace(options, encryption),
        projectSettings: settings,
        // Write the key that the stack was created with first: otherwise Pulumi would create another one.
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
 * A killed run leaves its lock behind. In the checkout's own backend it is stale, because the checkout's lock keeps a second
 * run out; in a shared backend another run may hold it, and Pulumi says what to do.
 */
async function removeStaleLock(stack: Stack, options: PulumiOptions): Promise<void> {
  const backend = ownBackend(options);
  const locks = backend === undefined ? '' : join(backend, '.pulumi', 'locks');
  if (!existsSync(locks)) return;
  const left = readdirSync(locks, { recursive: true, encoding: 'utf8' });
  if (!left.some((file) => file.endsWith('.json'))) return;
  options.report('pulumi: removing the lock of an earlier run that was killed');
  await stack.cancel();
}

/** Environment of every Pulumi command, and through it of the program. */
function workspace(
  options: PulumiOptions,
  encryption: StackEncryption,
): { readonly envVars: Record<string, string> } {
  const { root, stateDir, environment, local = false } = options;
  const backend = ownBackend(options);
  const ownPassphrase = usesOwnPassphrase(options) && !isKeyService(encryption);
  if (backend !== undefined) mkdirSync(backend, { recursive: true, mode: 0o700 });
  return {
    envVars: {
      // The program is TypeScript without a build step: it needs a Node such as this one.
      PATH: [dirname(process.execPath), join(root, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(
        delimiter,
      ),
      PULUMI_SKIP_UPDATE_CHECK: 'true',
      [environmentVariable]: environment,
      ...(backend !== undefined && { PULUMI_BACKEND_URL: fileBackendUrl(backend), ...fileBackendSettings }),
      ...(ownPassphrase && { PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile(stateDir) }),
      // When this variable is set, Pulumi prefers it.
      ...(local &&
        ownPassphrase &&
        process.env['PULUMI_CONFIG_PASSPHRASE'] !== undefined && {
          PULUMI_CONFIG_PASSPHRASE: readFileSync(passphraseFile(stateDir), 'utf8'),
        }),
    },
  };
}

/** File with a random passphrase, created once. */
function passphraseFile(stateDir: string): string {
  const file = join(stateDir, 'passphrase');
  if (!existsSync(file)) writeFileAtomic(file, randomBytes(32).toString('base64url'), secretMode);
  return file;
}
