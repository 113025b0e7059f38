import * as pulumi from '@pulumi/pulumi';
import { join } from 'node:path';
import { shop } from '../charts/shop.ts';
import { synthesize } from '../charts/synth.ts';
import { ProblemsError } from '../core/problem.ts';
import { renderIstioReleases } from './istio-release.ts';
import { planMesh } from './plan.ts';
import { preflightMesh } from './preflight.ts';
import { deployMesh } from './program.ts';
import type { ClusterOutputs } from './program.ts';
import { readConfig } from './stack-config.ts';

// The Pulumi program of the sample mesh. Pulumi runs it in this folder, with the stack's configuration.
const root = join(import.meta.dirname, '..');

/** Gateway addresses by cluster: the stack's output. */
export const clusters: Readonly<Record<string, ClusterOutputs>> = await deploy().catch((error: unknown) => {
  // A RunError is shown without a stack trace: a wrong input is no bug of the program.
  throw error instanceof ProblemsError ? new pulumi.RunError(error.message) : error;
});

async function deploy(): Promise<Readonly<Record<string, ClusterOutputs>>> {
  const mesh = shop(root);
  const model = mesh.model();
  const plan = planMesh(model, synthesize(mesh));
  const config = new pulumi.Config();
  const stack = readConfig((key) => config.get(key), plan.clusters, root);
  // A preview makes missing CAs too: they are local files, and later runs use the same ones.
  const { clients, trust } = await preflightMesh(plan, stack);
  const releases = await Promise.all(
    plan.steps.map(async ({ cluster, releases }) =>
      releases.length === 0
        ? []
        : [[cluster, await renderIstioReleases(stack.istioctl, releases, plan.mesh)] as const],
    ),
  );
  return deployMesh({
    plan,
    model,
    access: stack.access,
    servers: Object.fromEntries(Object.entries(clients).map(([cluster, { server }]) => [cluster, server])),
    releases: Object.fromEntries(releases.flat()),
    trust,
  });
}
