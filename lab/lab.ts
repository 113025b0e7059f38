import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { secretMode, writeFileAtomic } from '../core/files.ts';
import { ProblemsError, throwIfAny } from '../core/problem.ts';
import { waitFor } from '../core/wait.ts';
import type { NodeAddresses } from './addresses.ts';
import { cgroupMount, cgroupRoot, ensureCgroups, removeCgroups } from './cgroups.ts';
import { whyNodeNotReady, whyPodsNotReported } from './fresh-status.ts';
import { withMachineLock } from './machine-lock.ts';
import { isMountPoint, netnsFolder } from './netns-folder.ts';
import { endProcesses, ensureNetwork, labOwner, nodeNamespace, nodesInNetwork } from './network.ts';
import { routePods } from './pod-routes.ts';
import { nodeProcess, nodeStart, runningNode, startNode } from './node-process.ts';
import { askApiServer } from './node/api.ts';
import { makeMountPoints, missingMountPoints } from './node/mounts.ts';
import { nodeFolder, nodeLogs, nodePaths, type NodeSpec } from './node/spec.ts';
import { waitMs, type LabOptions } from './options.ts';
import { ensureNodePki, kubeconfig, mergeKubeconfigs, type Kubeconfig } from './pki.ts';
import { removeShared } from './remove.ts';
import { foreignLab, foreignLabProblems, removeStaleLab } from './stale-lab.ts';
import { currentBoot, readLabRecord, writeLabRecord, type LabRecord } from './state.ts';

export { importImages, type ImageArchive } from './node-images.ts';
export { labExists, stopLab } from './remove.ts';
export type { LabOptions };

/**
 * Starts one single-node cluster for each declared one, or what is missing of them after an interruption; it does not wait for
 * them. Writes the kubeconfig with a context per cluster.
 */
export async function startNodes(options: LabOptions): Promise<void> {
  const { stateDir, addresses, clusters } = options;
  const nodes = clusters.map(({ name }) => name);
  const earlier = readLabRecord(stateDir);
  if (
    earlier !== undefined &&
    (earlier.subnet !== addresses.subnet || earlier.nodes.join() !== nodes.join())
  ) {
    throw new ProblemsError([
      {
        where: 'lab',
        what: 'runs with another subnet or other clusters',
        received: `${addresses.subnet} ${nodes.join(' ')}`,
        allowed: `${earlier.subnet} ${earlier.nodes.join(' ')}`,
        fix: 'run `npm run down` first',
      },
    ]);
  }
  await withMachineLock('npm run up', () => makeNodes(options, earlier));
}

/** Waits until the API server of each started node answers; a daemon that keeps ending is `whileDaemonsRun`'s to tell. */
export async function awaitApiServers(options: LabOptions): Promise<void> {
  await Promise.all(
    options.clusters.map(async ({ name }) => {
      await awaitApi(options, name, '/readyz', 'its API server to answer', () => undefined);
      options.report(`${name}: API server answers at https://${placeOf(options, name).node}:6443`);
    }),
  );
}

/** Makes all that processes cannot make twice: network, control groups, nodes. */
async function makeNodes(options: LabOptions, earlier: LabRecord | undefined): Promise<void> {
  const { stateDir, owner, addresses, clusters, report } = options;
  const nodes = clusters.map(({ name }) => name);
  const stale = await foreignLab(owner);
  throwIfAny(foreignLabProblems(owner, stale));
  if (stale !== undefined) {
    await removeStaleLab(stale);
    report(`removed the lab of a checkout that is gone: ${stale.owner}`);
  }
  const current = labOwner();
  if (earlier === undefined && current === owner) {
    await removeShared(stateDir, nodesInNetwork());
    report('removed a lab whose record is missing');
  }
  const boot = currentBoot();
  if (earlier?.boot !== boot) {
    // etcd and containerd leave writing to the kernel: what a power cut left of their data is not to be trusted.
    rmSync(join(stateDir, 'nodes'), { recursive: true, force: true });
  }
  writeLabRecord(stateDir, {
    subnet: addresses.subnet,
    nodes,
    mountPoints: [...new Set([...(earlier?.mountPoints ?? []), ...missingMountPoints()])],
    netnsMounted: earlier?.boot === boot ? earlier.netnsMounted : isMountPoint(netnsFolder),
    boot,
  });
  makeMountPoints();
  ensureCgroups(cgroupMount, nodes);
  await ensureNetwork(addresses, owner);
  await routePods(addresses, Object.fromEntries(clusters.map(({ name, network }) => [name, network])));
  const configs = await Promise.all(clusters.map((cluster) => prepareNode(options, cluster)));
  writeFileAtomic(options.kubeconfig, stringify(mergeKubeconfigs(configs)), secretMode);
}

function placeOf(options: LabOptions, node: string): NodeAddresses {
  const place = options.addresses.nodes[node];
  if (place === undefined) throw new Error(`no addresses were planned for ${node}`);
  return place;
}

async function prepareNode(
  options: LabOptions,
  cluster: LabOptions['clusters'][number],
): Promise<Kubeconfig> {
  const { stateDir } = options;
  const { name } = cluster;
  const place = placeOf(options, name);
  const folder = nodeFolder(stateDir, name);
  const paths = nodePaths(folder);
  const pki = await ensureNodePki(paths.pki, { name, address: place.node, apiService: place.apiService });
  const server = `https://${place.node}:6443`;
  const admin = kubeconfig(name, server, pki.ca, pki.admin);
  if (nodeProcess(stateDir, name) !== undefined) {
    options.report(`${name}: node runs`);
    return admin;
  }
  writeFileAtomic(paths.kubeconfig, stringify(admin), secretMode);
  writeFileAtomic(
    paths.kubeletKubeconfig,
    stringify(kubeconfig(name, server, pki.ca, pki.kubelet)),
    secretMode,
  );
  // What still runs of a node whose state was lost would be in the new one's way.
  await endProcesses(nodeNamespace(name));
  // Before it starts any pod, a kubelet tries for 3 s to identify each control group of the containers that died with the node.
  await removeCgroups(cgroupMount, [name]);
  ensureCgroups(cgroupMount, [name]);
  const spec: NodeSpec = {
    ...cluster,
    address: place.node,
    loadBalancers: [...place.loadBalancers],
    pods: place.pods,
    services: place.services,
    folder,
    logs: nodeLogs(stateDir, name),
    programs: [...options.programs],
    cniPlugins: '/usr/lib/cni',
    pauseImage: options.pauseImage,
    cgroupRoot: cgroupRoot(name),
  };
  startNode(spec);
  options.report(`${name}: node started`);
  return admin;
}

/** Waits until each cluster's node is Ready, and nothing is known of its pods from an earlier start of the node. */
export async function awaitNodesReady(options: LabOptions): Promise<void> {
  await Promise.all(
    options.clusters.map(async ({ name }) => {
      const start = nodeStart(options.stateDir, name);
      await awaitApi(options, name, `/api/v1/nodes/${name}`, 'its node to be Ready', (body) =>
        whyNodeNotReady(body, start),
      );
      const pods = `/api/v1/pods?fieldSelector=spec.nodeName%3D${name}`;
      await awaitApi(options, name, pods, 'the states of its pods', (body) =>
        whyPodsNotReported(body, start),
      );
    }),
  );
}

/** Waits until an API server answers 200 and `missing` finds nothing missing in the answer. */
async function awaitApi(
  options: LabOptions,
  node: string,
  path: string,
  what: string,
  missing: (body: string) => string | undefined,
): Promise<void> {
  const { pki } = nodePaths(nodeFolder(options.stateDir, node));
  await waitFor(
    {
      what: `cluster ${node}: ${what}`,
      timeoutMs: waitMs,
      whereToLook: () => nodeLogs(options.stateDir, node),
      ...(options.signal && { signal: options.signal }),
    },
    async () => {
      runningNode(options.stateDir, node);
      const { status, body } = await askApiServer(pki, placeOf(options, node).node, path);
      const because = status === 200 ? missing(body) : `${status || 'no answer'}: ${body.slice(0, 200)}`;
      return because === undefined ? { done: true, value: undefined } : { done: false, because };
    },
  );
}
