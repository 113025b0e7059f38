import { Command, CommanderError, Option } from 'commander';
import { ProblemsError } from '../core/problem.ts';
import { isSource } from '../core/product.ts';
import type { DownFlags } from './down.ts';
import type { ExportFlags } from './export.ts';
import type { ImagesFlags } from './images.ts';
import type { StatusFlags } from './status.ts';
import type { SynthFlags } from './synth.ts';
import type { UpFlags } from './up-flags.ts';
import { thisWorkspace, type Workspace } from './workspace/workspace.ts';

// It was meant for this process (scripts/run.js), not for the programs that it starts.
delete process.env['NODE_COMPILE_CACHE'];

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interruption.abort(new Error(`stopped by ${signal}`));
  });
}

// Whoever read the output may be gone (a closed terminal, `| head`): then stop in good order, undoing what is to be undone.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', () => {
    interruption.abort(new Error('stopped: the output is no longer read'));
  });
}

const { signal } = interruption;
let verbose = false;

/** Each command's code is loaded when it is asked for: a typing mistake is answered at once. */
function program(at: Workspace): Command {
  const root = new Command(isSource ? 'npm run' : 'npx meshwright')
    .usage(isSource ? 'COMMAND -- [flags]' : 'COMMAND [flags]')
    .description('Two Kubernetes clusters, one Istio mesh, gRPC services')
    .exitOverride();
  const command = (name: string, description: string) =>
    root
      .command(name)
      .description(description)
      .option('--verbose', 'show where in the program an error comes from (stack trace)')
      .exitOverride()
      .on('option:verbose', () => {
        verbose = true;
      });
  const collect = (value: string, before: readonly string[]) => [...before, value];
  command('up', 'bring the mesh up in the lab, or in your own clusters, and prove it by real calls')
    .option(
      '--context <CLUSTER=CONTEXT>',
      'use this kubeconfig context for a cluster, instead of the lab',
      collect,
      [],
    )
    .option(
      '--stack <NAME>',
      'bring up the environment NAME of mesh.ts, configured by Pulumi.NAME.yaml: clusters, trust, remote access',
    )
    .addOption(
      new Option(
        '--engine <engine>',
        'the engine that applies the mesh: pulumi if it is installed, else apply',
      ).choices(['pulumi', 'apply']),
    )
    .option('--lab-subnet <CIDR>', 'the IPv4 /24 of the lab, 172.29.0.0/24 unless given')
    .option('--prove', 'prove everything, including failover, which takes a service away for a moment')
    .action(async (flags: UpFlags) => {
      // Before what takes a moment: all that `up` is made of is loaded only now.
      process.stdout.write('up: reading the declaration\n');
      finish(await (await import('./up.ts')).up(at, flags, signal));
    });
  command('down', 'remove what up made')
    .option('--purge', 'also remove the trust folder and the caches')
    .action(async (flags: DownFlags) => {
      finish(await (await import('./down.ts')).down(at, flags, signal));
    });
  command('status', 'show clusters, gateways, services, trust and calls between clusters')
    .option('--json', 'print JSON')
    .action(async (flags: StatusFlags) => {
      finish(await (await import('./status.ts')).status(at, flags, signal));
    });
  command('synth', 'write dist/ from the declaration, for every environment')
    .option('--check', 'write nothing; fail when dist/ differs from the declaration')
    .action(async (flags: SynthFlags) => {
      finish(await (await import('./synth.ts')).synth(at, flags));
    });
  command(
    'export',
    'write the mesh as a GitOps tree, for Argo CD or for kubectl apply -k; contacts no cluster',
  )
    .requiredOption(
      '--out <DIR>',
      'the folder to write, for this tree alone, such as one in your GitOps repository',
    )
    .requiredOption(
      '--secret-store <NAME>',
      'the ClusterSecretStore (or SecretStore/NAME) that holds the secrets, or the word none if you create them yourself',
    )
    .option(
      '--secret-key <KEY>',
      'where the store has each secret, with {cluster} and {secret}; MESH/{cluster}/{secret} unless given',
    )
    .addOption(
      new Option('--format <format>', 'argocd adds an ApplicationSet')
        .choices(['kustomize', 'argocd'])
        .default('kustomize'),
    )
    .option('--repo <URL>', 'argocd: the repository that the tree is committed to')
    .option(
      '--revision <REVISION>',
      'argocd: the branch, tag or commit in that repository; HEAD unless given',
    )
    .option(
      '--trust-roots <FILE>',
      'PEM file of the root certificates that proxies trust, the signing one first; for a change of the root',
    )
    .option(
      '--stack <NAME>',
      'export the environment NAME of mesh.ts, lab unless given; trust.issuer of Pulumi.NAME.yaml: cert-manager signs the CAs',
    )
    .option('--path <FOLDER>', 'argocd: where the tree is in the repository; its root unless given')
    .action(async (flags: ExportFlags) => {
      finish(await (await import('./export.ts')).exportMesh(at, flags, signal));
    });
  command('new', 'create a service: proto, handlers with a test, config.yml, its lines in mesh.ts')
    .argument('<name>', 'such as gift-cards')
    .action(async (name: string) => {
      finish(await (await import('./new.ts')).newService(at, name));
    });
  // This checkout is a project already.
  if (!isSource)
    command('init', 'create a project in this folder: a mesh with one service, its tests and its CI workflow')
      .argument('[name]', "name of the mesh, such as shop; the folder's unless given")
      .action(async (name: string | undefined) => {
        finish((await import('./init.ts')).initProject(name));
      });
  command('images', "build the apps' container images, and lock their digests")
    .option(
      '--update-base',
      "lock this machine's versions of Node and the Debian packages as the base of the images",
    )
    .option('--stack <NAME>', 'name them as the environment NAME of mesh.ts pulls them, lab unless given')
    .action(async (flags: ImagesFlags) => {
      finish(await (await import('./images.ts')).images(at, flags, signal));
    });
  return root;
}

function finish(code: number): void {
  process.exitCode = code;
}

try {
  await program(thisWorkspace()).parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Its stack trace, and that of what it tells of. */
function stackOf({ stack = '', cause }: Error): string {
  return cause instanceof Error ? `${stack}\ncaused by ${stackOf(cause)}` : stack;
}

/** Prints an error for people; returns the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // commander has printed it
  if (signal.aborted) {
    process.stderr.write(
      `${signal.reason instanceof Error ? signal.reason.message : 'stopped'}; run the command again to continue\n`,
    );
    return 130;
  }
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  if (verbose && error instanceof Error) process.stderr.write(`${stackOf(error)}\n`);
  return error instanceof ProblemsError ? error.exitCode : 1;
}
