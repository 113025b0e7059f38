import type { Mesh } from '../../../charts/constructs/mesh.ts';
import type { KubernetesObject } from '../../../charts/model/mesh-model.ts';
import { synthesize } from '../../../charts/synth.ts';
import { thisWorkspace } from '../../../cli/workspace/workspace.ts';
import { applyPlan } from '../../../infra/apply/apply.ts';
import { planMesh } from '../../../infra/plan/plan.ts';
import { parseConfig, type StackConfig } from '../../../infra/plan/stack-config.ts';
import { ensureTools } from '../../../toolchain/build.ts';

export interface VariantOptions {
  /** How the stack differs from the defaults: `trust`, `remoteAccess`. @default - not at all */
  readonly stack?: Partial<StackConfig>;
  /** Replaces an object before it is applied, such as a container's command. @default - as rendered */
  readonly change?: (object: KubernetesObject) => KubernetesObject;
  /** Likewise, in one cluster. @default - as in the others */
  readonly changeIn?: (cluster: string) => (object: KubernetesObject) => KubernetesObject;
  /** Takes the lines of progress, which are shown as well. */
  readonly report?: (line: string) => void;
}

/**
 * Brings the lab to another declaration than the checkout's, as `npm run up` would: rendered by the charts, applied,
 * awaited and pruned by the product's own driver. The next `npm run up` brings it back.
 */
export async function applyVariant(mesh: Mesh<string>, options: VariantOptions = {}): Promise<void> {
  const { root, cacheDir, logsDir, kubeconfig, trustDir } = thisWorkspace();
  const report = (line: string) => {
    process.stderr.write(`variant: ${line}\n`);
    options.report?.(line);
  };
  const { istioctl } = await ensureTools({ cacheDir, logsDir, sets: ['istio'], report });
  const { change = (object: KubernetesObject) => object, changeIn, stack = {} } = options;
  const defaults = parseConfig({ trustDir }, root, 'defaults');
  const rendered = synthesize(mesh).map((stage) => ({
    ...stage,
    objects: stage.objects.map(changeIn?.(stage.cluster) ?? change),
  }));
  const access = Object.fromEntries(mesh.clusters.map(({ name }) => [name, { kubeconfig, context: name }]));
  const summary = await applyPlan(planMesh(mesh.model(), rendered), {
    ...defaults,
    access,
    istioctl,
    ...stack,
    report,
  });
  const { created, changed, deleted, unchanged } = summary;
  report(`${created} created, ${changed} changed, ${deleted} deleted, ${unchanged} unchanged`);
}
