import * as pulumi from '@pulumi/pulumi';
import type { Mesh } from '../../charts/index.ts';
import { synthesize } from '../../charts/synth.ts';
import { mayBeShown, openHoles, valuesKey, type HoleValues } from '../../charts/holes.ts';
import { own } from '../../core/own.ts';
import { ProblemsError, throwIfAny, type Problem } from '../../core/problem.ts';
import { openClients } from '../kube/connection.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { MeshOutputs } from './mesh-component.ts';
import { planMesh } from '../plan/plan.ts';
import type { Plan, PlanStep } from '../plan/plan.ts';
import type { MeshIdentity } from '../preflight/identity.ts';
import { preflightMesh, settledTrust } from '../preflight/preflight.ts';
import type { Preflight } from '../preflight/preflight.ts';
import { deployMesh } from './program.ts';
import { knownInputs, type KnownInputs, type ProgramInputs } from './program-inputs.ts';
import type { Limits } from '../plan/limits.ts';
import { RemoteLinks } from '../remote/remote-links.ts';
import { missingClusters, project, readConfig, runningStack } from '../plan/stack-config.ts';
import type { StackConfig } from '../plan/stack-config.ts';
import { clientOf, makeRelease, makeSecret, settle } from '../apply/step-work.ts';
import type { PlanContext } from '../apply/step-work.ts';
import { tellOfPods } from '../apply/tell-of-pods.ts';
import { withSigner } from '../trust/signer.ts';

/** What a mesh runs with as a Pulumi program. */
export interface MeshProgram {
  /** Makes the mesh, its holes filled; what it finds wrong is shown as everything else. */
  readonly declare: (filled: HoleValues) => Mesh<string>;
  /** Folder that the paths of the stack's configuration are relative to. */
  readonly root: string;
  /** Returns a value of the stack's configuration by its key in this project. */
  readonly get: (key: string) => string | undefined;
  /** Whether the configuration keeps a key's value, or a part of it, as a secret. @default - none is */
  readonly isSecret?: (key: string) => boolean;
  /** Called with each line of progress. */
  readonly report: (line: string) => void;
  /** What a program gives beside the configuration. @default - nothing */
  readonly inputs?: ProgramInputs;
  /** What differs from `defaultLimits`. */
  readonly limits?: Partial<Limits>;
}

/**
 * Runs a mesh as a Pulumi program.
 * @throws pulumi.RunError, which Pulumi shows without a stack trace: a wrong input is not a bug of the program.
 */
export async function runProgram(program: MeshProgram): Promise<MeshOutputs> {
  const { declare, root, get, isSecret = () => false, report, inputs = {}, limits = {} } = program;
  return asRunError(async () => {
    const configured = readConfig(get, root);
    throwIfAny(isSecret(valuesKey) ? [secretValues] : []);
    const known = await knownInputs(inputs);
    const filled = holeValues(configured, known);
    const mesh = declare(filled);
    const model = mesh.model();
    const planned = planMesh(model, synthesize(mesh));
    const config = { ...configured, access: accessOf(configured, known, planned.clusters) };
    const plan = withSigner(planned, config.trust);
    const preview = pulumi.runtime.isDryRun();
    if (known.open.length + known.unknown.length > 0) await pulumi.log.warn(notYet(known, filled));
    const { environment } = openHoles(mesh);
    const expected = environment === '' ? {} : { environment };
    const {
      clients,
      trust,
      trustNotAfter,
      identity,
      unreached,
    }: Preflight & { readonly unreached: boolean } =
      known.unknown.length === 0
        ? await preflight(plan, config, expected, preview)
        : { clients: {}, ...(await settledTrust(plan, { ...config, preview })), unreached: true };
    const links = new RemoteLinks({ ...config, plan, clients, report, limits });
    const context = { plan, clients, trust, links, report, limits, ...(identity && { identity }) };
    return deployMesh({
      plan,
      model,
      access: config.access,
      providers: known.providers,
      releases: await renderReleases(config, context),
      trustNotAfter,
      makeSecret: (step, secret) => asRunError(() => makeSecret(step, secret, context, preview)),
      settle: (step, release) =>
        preview ? Promise.resolve() : asRunError(() => settle(step, release, context)),
      tell: async (step, release, done) => {
        if (preview) return;
        await tellOfPods(clientOf(clients, step.cluster), [...release, ...step.objects], report, done);
      },
      isKept: ({ kind }) => unreached && kind === 'remote-secret',
    });
  });
}

const secretValues: Problem = {
  where: `${runningStack}: ${valuesKey}`,
  what: 'holds a secret, and would be shown in plaintext in objects of the clusters',
  allowed: 'hosts and https URLs, in plaintext',
  fix: `if it is none, pulumi config set --plaintext --path '${project}:${valuesKey}.NAME' VALUE`,
};

/**
 * What the holes are filled with: what the program gives, and the stack's values. `images` and `export` need a value in the
 * stack's file; the program may give it, too, as long as it is the same.
 */
function holeValues({ values }: StackConfig, known: KnownInputs): HoleValues {
  const given = Object.keys(known.values);
  throwIfAny(
    given.flatMap((name): readonly Problem[] => {
      const configured = own(values, name);
      const value = own(known.values, name) ?? '';
      if (configured === undefined || configured === value) return [];
      return [
        {
          where: `runStack: ${valuesKey}.${name}`,
          what: `differs from ${project}:${valuesKey}.${name} of the ${runningStack}`,
          ...(mayBeShown(value) && mayBeShown(configured) && { received: value, allowed: configured }),
          fix: 'correct one of the two, or remove it',
        },
      ];
    }),
  );
  const where = given.length + known.open.length === 0 ? runningStack : 'runStack';
  const open = known.open.filter((name) => own(values, name) === undefined);
  return { where, values: { ...values, ...known.values }, open };
}

/** How the clusters are reached: those that the program gives, and those of the stack. */
function accessOf(
  { access }: StackConfig,
  { access: known, providers }: KnownInputs,
  clusters: readonly string[],
): StackConfig['access'] {
  const given = Object.keys(providers);
  const taken = given.filter((name) => clusters.includes(name));
  const asked = { kubeconfig: '', context: '' };
  const here = Object.fromEntries([...given, ...clusters].map((name) => [name, asked]));
  const there = { ...Object.fromEntries(taken.map((name) => [name, asked])), ...access };
  throwIfAny([
    ...twice(Object.keys(access), given),
    ...missingClusters({ access: here }, clusters, 'runStack'),
    ...missingClusters({ access: there }, clusters, runningStack),
  ]);
  return { ...access, ...known };
}

function twice(configured: readonly string[], given: readonly string[]): readonly Problem[] {
  return given
    .filter((name) => configured.includes(name))
    .map((name) => ({
      where: `runStack: clusters.${name}`,
      what: `is also in the ${runningStack}, as ${project}:clusters.${name}`,
      fix: 'remove one of the two',
    }));
}

/** What a preview does without. */
function notYet({ open, unknown }: KnownInputs, { open: marked = [] }: HoleValues): string {
  const configured = open.filter((name) => !marked.includes(name));
  const lines = [
    unknown.length === 0
      ? ''
      : `The clusters were not checked: the kubeconfig or apiServer of ${unknown.join(', ')} is not known before the update. This preview plans every object, and its checks ask no cluster.`,
    marked.length === 0
      ? ''
      : `Not known before the update: ${marked.join(', ')}. The markers of these holes stand in the objects of this preview.`,
    configured.length === 0
      ? ''
      : `Not known before the update: ${configured.join(', ')}. This preview takes what the ${runningStack} has, and the update compares the two.`,
  ];
  return lines.filter((line) => line !== '').join('\n');
}

/**
 * The checks that both drivers start with. A preview writes nothing, and does not need the clusters: when they cannot be
 * reached, it compares with the state only.
 */
async function preflight(
  plan: Plan,
  config: StackConfig,
  identity: Pick<MeshIdentity, 'environment'>,
  preview: boolean,
): Promise<Preflight & { readonly unreached: boolean }> {
  try {
    const warn = (line: string) => void pulumi.log.warn(line);
    return { ...(await preflightMesh(plan, { ...config, identity, preview, warn })), unreached: false };
  } catch (error) {
    if (!preview || !(error instanceof ProblemsError) || error.exitCode !== 1) throw error;
    await pulumi.log.warn(
      `${error.message}\nThe clusters were not checked: this preview compares with the state only.`,
    );
    const clients = openClients(plan.clusters, config.access);
    return { clients, ...(await settledTrust(plan, { ...config, preview })), unreached: true };
  }
}

async function renderReleases(
  { istioctl }: StackConfig,
  context: PlanContext,
): Promise<ReadonlyMap<PlanStep, readonly KubeObject[]>> {
  const { steps } = context.plan;
  const made = steps.map(async (step) => [step, await makeRelease(step, istioctl, context)] as const);
  return new Map(await Promise.all(made));
}

/** Runs the work, and throws its problems as a RunError. */
async function asRunError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof ProblemsError ? new pulumi.RunError(error.message) : error;
  }
}
