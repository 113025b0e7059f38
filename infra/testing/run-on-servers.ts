import type { Mesh } from '../../charts/index.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { runProgram } from '../pulumi/mesh-program.ts';
import { quickLimits } from './limits.ts';
import type { KubeApi } from './kube-api.ts';
import { root } from './meshes.ts';
import { runInEngine } from './pulumi-engine.ts';

export interface OnServers {
  /** The server of each cluster, to which the provider sends what the program declares. */
  readonly apis: ReadonlyMap<string, KubeApi>;
  /** The stack's values, as Pulumi keeps them. */
  readonly config: Readonly<Record<string, string>>;
  /** @default false */
  readonly preview?: boolean;
  /** @default - nobody is told */
  readonly report?: (line: string) => void;
}

/** Runs the Pulumi program for a mesh, with servers of the tests in the place of clusters. A preview sends nothing. */
export function runOnServers(mesh: Mesh<string>, { apis, config, preview = false, report }: OnServers) {
  return runInEngine(
    () =>
      runProgram({
        declare: () => mesh,
        root,
        get: (key) => config[key],
        report: report ?? (() => undefined),
        limits: quickLimits,
      }),
    async (cluster, inputs) => {
      const client = apis.get(cluster)?.client;
      if (client === undefined) throw new Error(`no server stands in for ${cluster}`);
      const object = inputs as unknown as KubeObject;
      if (!preview) await client.apply(object);
      const live = preview ? await client.get(object).catch(() => undefined) : await client.get(object);
      return (live as unknown as Record<string, unknown> | undefined) ?? inputs;
    },
    preview,
  );
}
