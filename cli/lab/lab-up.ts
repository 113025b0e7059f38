import { join } from 'node:path';
import { loadAppConfigs } from '../../apps/config/app-config.ts';
import { referenceOf } from '../../images/spec.ts';
import type { MeshModel } from '../../charts/model/mesh-model.ts';
import { planAddresses } from '../../lab/addresses.ts';
import { ensureHostPackages, nodePackages } from '../../toolchain/packages.ts';
import { archiveName, ensureImages, type BuiltImage } from '../../images/build.ts';
import { pauseImage } from '../../images/specs.ts';
import { awaitNodesReady, importImages, startLab, type LabOptions } from '../../lab/lab.ts';
import { preflight } from '../../lab/machine-check.ts';
import { binFolders, ensureTools } from '../../toolchain/build.ts';
import type { ToolPaths } from '../../toolchain/sets.ts';
import type { Task } from '../tasks.ts';
import type { Workspace } from '../workspace.ts';

export interface LabUp {
  /** Looks the machine over before anything is made. */
  readonly check: () => Promise<void>;
  /** What has to be done until clusters are ready that know the images. */
  readonly steps: readonly (Task | readonly Task[])[];
  /** Path of istioctl, once the steps ran. */
  readonly istioctl: () => string;
}

/** Plans bringing the lab up for a mesh. */
export function labUp(at: Workspace, model: MeshModel, subnet: string, signal: AbortSignal): LabUp {
  const addresses = planAddresses(
    subnet,
    model.clusters.map(({ name }) => name),
  );
  let tools: ToolPaths | undefined;
  let images: readonly BuiltImage[] = [];
  const builtTools = () => {
    if (tools === undefined) throw new Error('the tools are built first');
    return tools;
  };
  const lab = (report: (line: string) => void): LabOptions => ({
    owner: at.stateDir,
    stateDir: at.stateDir,
    addresses,
    clusters: model.clusters,
    path: binFolders(builtTools()).join(':'),
    pauseImage: referenceOf(model.istio.hub, pauseImage()),
    report,
    signal,
  });
  const { root, cacheDir, logsDir } = at;
  return {
    check: () => preflight(at.stateDir, at.stateDir, addresses),
    istioctl: () => builtTools().istioctl,
    steps: [
      {
        title: 'Debian packages',
        run: (report) => ensureHostPackages({ packages: nodePackages, report, signal }),
      },
      {
        title: 'tools: Kubernetes, Istio, containerd, etcd, CoreDNS, Envoy',
        run: async (report) => {
          tools = await ensureTools({ root, cacheDir, logsDir, report, signal });
        },
      },
      [
        {
          title: 'images',
          run: async (report) => {
            const apps = loadAppConfigs(root);
            const { hub, tag: istioTag } = model.istio;
            images = await ensureImages({
              root,
              cacheDir,
              tools: builtTools(),
              apps,
              hub,
              istioTag,
              report,
              signal,
            });
          },
        },
        {
          title: `clusters: ${model.clusters.map(({ name }) => name).join(', ')}`,
          run: (report) => startLab(lab(report)),
        },
      ],
      {
        title: 'images into the clusters',
        run: async (report) => {
          await importImages(
            lab(report),
            images.map((image) => ({ ...image, archive: join(image.folder, archiveName) })),
          );
          await awaitNodesReady(lab(report));
        },
      },
    ],
  };
}
