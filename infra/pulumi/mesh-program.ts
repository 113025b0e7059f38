import * as pulumi from '@pulumi/pulumi';
import type { Mesh } from '../../charts/index.ts';
import { synthesize } from '../../charts/synth.ts';
import { ProblemsError } from '../../core/problem.ts';
import { openClients } from '../kube/connection.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { MeshOutputs } from './mesh-component.ts';
import { planMesh } from '../plan/plan.ts';
import type { Plan, PlanStep } from '../plan/plan.ts';
import { preflightMesh, settledTrust } from '../preflight/preflight.ts';
import type { Preflight } from '../preflight/preflight.ts';
import { deployMesh } from './program.ts';
import type { Limits } from '../plan/limits.ts';
import { RemoteLinks } from '../remote/remote-links.ts';
import { readConfig } from '../plan/stack-config.ts';
import type { StackConfig } from '../plan/stack-config.ts';
import { clientOf, makeRelease, makeSecret, settle } from '../apply/step-work.ts';
import type { PlanContext } from '../apply/step-work.ts';
import { tellOfPods } from '../apply/tell-of-pods.ts';
import { withIssuer } from '../trust/issuer.ts';

/**
 * Runs a mesh as a Pulumi program.
 * @param declare - makes the mesh; what it finds wrong is shown as everything else
 * @param root - folder that the paths of the stack's configuration are relative to
 * @param get - returns a value of the stack's configuration by its key in this project
 * @param report - called with each line of progress
 * @param limits - what differs from `defaultLimits`
 * @throws pulumi.RunError, which Pulumi shows without a stack trace: a wrong input is not a bug of the program.
 */
export async function runProgram(
  declare: () => Mesh<string>,
  root: string,
  get: (key: string) => string | undefined,
  report: (line: string) => void,
  limits: Partial<Limits> = {},
): Promise<MeshOutputs> {
  return asRunError(async () => {
    const mesh = declare();
    const model = mesh.model();
    const planned = planMesh(model, synthesize(mesh));
    const config = readConfig(get, planned.clusters, root);
    const plan = withIssuer(planned, config.trust.issuer);
    const preview = pulumi.runtime.isDryRun();
    const { clients, trust, trustNotAfter, unreached } = await preflight(plan, config, preview);
    const links = new RemoteLinks({ ...config, plan, clients, report, limits });
    const context = { plan, clients, trust, links, report, limits };
    return deployMesh({
      plan,
      model,
      access: config.access,
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

/**
 * The checks that both drivers start with. A preview writes nothing, and does not need the clusters: when they cannot be
 * reached, it compares with the state only.
 */
async function preflight(
  plan: Plan,
  config: StackConfig,
  preview: boolean,
): Promise<Preflight & { readonly unreached: boolean }> {
  try {
    const warn = (line: string) => void pulumi.log.warn(line);
    return { ...(await preflightMesh(plan, { ...config, preview, warn })), unreached: false };
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
