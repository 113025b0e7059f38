import { join } from 'node:path';
import { z } from 'zod';

/** Everything that a node's first process needs, passed as a JSON file. */
export const nodeSpecSchema = z.object({
  name: z.string(),
  region: z.string(),
  zone: z.string(),
  address: z.string(),
  loadBalancers: z.array(z.string()),
  pods: z.string(),
  services: z.string(),
  /** Folder with the node's state: certificates, etcd's data, images. */
  folder: z.string(),
  /** Folder with one log file per daemon. */
  logs: z.string(),
  /** Folders with the daemons' programs, which are found before the host's own. */
  programs: z.array(z.string()),
  /** Folder with the host's CNI plugins. */
  cniPlugins: z.string(),
  /** Image of the container that holds a pod's namespaces. */
  pauseImage: z.string(),
  cgroupRoot: z.string(),
});

export type NodeSpec = Readonly<z.infer<typeof nodeSpecSchema>>;

/**
 * Where a node finds its own state and the daemons' programs: on paths of its mount namespace that are the same everywhere.
 * The names of the machine's folders may hold anything; a mount's options have no escape for a comma in them, PATH none for a
 * colon, and each daemon's configuration quotes in its own way.
 */
export const inNode = { state: '/run/meshwright/state', programs: '/run/meshwright/bin' } as const;

/** Where the pieces of a node's state are, below its folder: {@link NodeSpec.folder}, or in the node {@link inNode.state}. */
export function nodePaths(folder: string) {
  return {
    spec: join(folder, 'spec.json'),
    process: join(folder, 'process.json'),
    daemons: join(folder, 'daemons.json'),
    pki: join(folder, 'pki'),
    /** The administrator's kubeconfig. */
    kubeconfig: join(folder, 'admin.kubeconfig'),
    kubeletKubeconfig: join(folder, 'kubelet.kubeconfig'),
    kubeletConfig: join(folder, 'kubelet.yaml'),
    containerdConfig: join(folder, 'containerd.toml'),
    containerdRoot: join(folder, 'containerd'),
    corefile: join(folder, 'Corefile'),
    etcd: join(folder, 'etcd'),
    /** Of the volumes that pods claim, a folder each. */
    volumes: join(folder, 'volumes'),
    /** The node's own folders that are mounted over host paths, by the path they appear at. */
    mounts: join(folder, 'mounts'),
  } as const;
}

/** Where a node's state is, below the lab's. */
export function nodeFolder(stateDir: string, node: string): string {
  return join(stateDir, 'nodes', node);
}

/** Where a node's daemons log. */
export function nodeLogs(stateDir: string, node: string): string {
  return join(stateDir, 'logs', node);
}
