import { join } from 'node:path';
import { loadAppConfigs } from '../../apps/config/app-config.ts';
import { referenceOf } from '../../images/spec.ts';
import type { MeshModel } from '../../charts/model/mesh-model.ts';
import { ProblemsError, type Problem } from '../../core/problem.ts';
import { defaultSubnet, planAddresses } from '../../lab/addresses.ts';
import { ensureHostPackages, nodePackages } from '../../toolchain/packages.ts';
import { archiveName, ensureImages, type BuiltImage } from '../../images/build.ts';
import { pauseImage } from '../../images/specs.ts';
import {
  awaitApiServers,
  awaitNodesReady,
  importImages,
  startNodes,
  type ImageArchive,
  type LabOptions,
} from '../../lab/lab.ts';
import { preflight } from '../../lab/machine-check.ts';
import { formatParts, labParts } from '../../lab/parts.ts';
import { readLabRecord } from '../../lab/state.ts';
import { whileDaemonsRun } from '../../lab/watch.ts';
import { binFolders, ensureTools } from '../../toolchain/build.ts';
import type { ToolPaths } from '../../toolchain/sets.ts';
import type { Task } from '../output/tasks.ts';
import { broughtImages } from './brought-images.ts';
import type { Workspace } from '../workspace/workspace.ts';

/** A plan that brings a lab up. */
export interface LabUp {
  /** Looks the machine over before anything is made. */
  readonly check: () => Promise<void>;
  /** Looks for the archives of images that are built elsewhere. @throws ProblemsError (exit 2) with all that are missing or wrong */
  readonly checkImages: (model: Pick<MeshModel, 'foreignImages'>) => Promise<void>;
  /** What has to be done until clusters are ready that know the images of the mesh. */
  readonly steps: (model: MeshModel, signal: AbortSignal) => readonly (Task | readonly Task[])[];
  /** Ends the work, and all that it waits for, with what a daemon of a node says that keeps ending. */
  readonly whileDaemonsRun: <T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>) => Promise<T>;
  /** Path of istioctl, once the steps ran. */
  readonly istioctl: () => string;
  /** What every part of the lab does now, as a table; none where there is no lab. */
  readonly parts: () => string | undefined;
}

function withoutIstio(mesh: string): Problem {
  return {
    where: `mesh ${mesh}`,
    what: 'runs on an Istio of others, and a lab has none',
    fix: 'declare the platform lab for this environment, or name clusters that have Istio with --context',
  };
}

/**
 * Plans bringing the lab up for these clusters.
 * @param asked - `subnet`: by default that of the lab there is, else one of the lab's own; `archives`: files of images that are
 * built elsewhere, by their references
 * @throws ProblemsError (exit 2) for a subnet that is none.
 */
export function labUp(
  at: Workspace,
  clusters: LabOptions['clusters'],
  {
    subnet,
    archives = {},
  }: { readonly subnet?: string; readonly archives?: Readonly<Record<string, string>> },
): LabUp {
  const { root, cacheDir, logsDir, stateDir, kubeconfig } = at;
  const names = clusters.map(({ name }) => name);
  const addresses = planAddresses(subnet ?? readLabRecord(stateDir)?.subnet ?? defaultSubnet, names);
  let tools: ToolPaths | undefined;
  let images: readonly BuiltImage[] = [];
  let brought: readonly ImageArchive[] = [];
  const builtTools = () => {
    if (tools === undefined) throw new Error('the tools are built first');
    return tools;
  };
  const steps: LabUp['steps'] = ({ name, istio }, signal) => {
    if (istio === undefined) throw new ProblemsError([withoutIstio(name)]);
    const { hub, tag } = istio;
    const lab = (report: (line: string) => void): LabOptions => ({
      ...{ owner: stateDir, stateDir, kubeconfig, addresses, clusters, report, signal },
      programs: binFolders(builtTools()),
      pauseImage: referenceOf(hub, pauseImage()),
    });
    return [
      {
        title: 'Debian packages',
        run: (report) => ensureHostPackages({ packages: nodePackages, report, signal }),
      },
      {
        title: 'tools: Kubernetes, Istio, containerd, etcd, CoreDNS, Envoy',
        run: async (report) => {
          tools = await ensureTools({ cacheDir, logsDir, report, signal });
        },
      },
      [
        {
          title: 'images',
          run: async (report) => {
            const apps = loadAppConfigs(root);
            const made = { root, cacheDir, apps, hub, istio: { tools: builtTools(), tag } };
            images = await ensureImages({ ...made, report, signal });
          },
        },
        { title: 'nodes', run: (report) => startNodes(lab(report)) },
      ],
      // containerd takes images while the API server starts.
      [
        { title: `clusters: ${names.join(', ')}`, run: (report) => awaitApiServers(lab(report)) },
        {
          title: 'images into the clusters',
          run: (report) =>
            importImages(lab(report), [
              ...images.map((image) => ({ ...image, archive: join(image.folder, archiveName) })),
              ...brought,
            ]),
        },
      ],
      { title: 'nodes ready', run: (report) => awaitNodesReady(lab(report)) },
    ];
  };
  return {
    check: () => preflight(stateDir, stateDir, addresses),
    checkImages: async ({ foreignImages = [] }) => {
      brought = await broughtImages(foreignImages, archives);
    },
    steps,
    whileDaemonsRun: (signal, work) => whileDaemonsRun({ stateDir, nodes: names, signal }, work),
    istioctl: () => builtTools().istioctl,
    parts: () => {
      const made = readLabRecord(stateDir);
      return made === undefined ? undefined : formatParts(labParts(stateDir, made.nodes));
    },
  };
}
