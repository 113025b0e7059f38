import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { secretMode, writeFileAtomic } from '../core/files.ts';
import { ProblemsError } from '../core/problem.ts';
import type { ProcessIdentity } from '../core/process-identity.ts';
import { run } from '../core/run.ts';
import { waitFor } from '../core/wait.ts';
import type { LabAddresses, NodeAddresses } from './addresses.ts';
import { cgroupRoot, ensureCgroups, removeCgroups } from './cgroups.ts';
import { bridgeNamespace, endProcesses, ensureNetwork, nodeNamespace, removeNetwork } from './network.ts';
import { nodeProcess, startNode, stopNode } from './node-process.ts';
import { askApiServer } from './node/api.ts';
import { ensureMountPoints, removeMountPoints } from './node/mounts.ts';
import { nodeFolder, nodeLogs, nodePaths, type NodeSpec } from './node/spec.ts';
import { failingDaemons } from './parts.ts';
import { ensureNodePki, kubeconfig, mergeKubeconfigs, type Kubeconfig } from './pki.ts';
import { labKubeconfig, readLabRecord, removeLabRecord, writeLabRecord } from './state.ts';

export interface LabOptions {
  /** Root of the checkout the lab belongs to. */
  readonly owner: string;
  /** Folder for all the lab keeps, `.meshwright` of the checkout. */
  readonly stateDir: string;
  readonly addresses: LabAddresses;
  readonly clusters: readonly { readonly name: string; readonly region: string; readonly zone: string }[];
  /** Colon-separated folders with the daemons' programs. */
  readonly path: string;
  readonly pauseImage: string;
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** An image in an archive that `ctr images import` reads. */
export interface ImageArchive {
  readonly reference: string;
  readonly archive: string;
}

const waitMs = 180_000;

/**
 * Starts one single-node cluster for each declared one, or what is missing of them after an interruption,
 * until their API servers answer. Writes the kubeconfig with a context per cluster.
 */
export async function startLab(options: LabOptions): Promise<void> {
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
  const mountPoints = [...new Set([...(earlier?.mountPoints ?? []), ...ensureMountPoints()])];
  writeLabRecord(stateDir, { subnet: addresses.subnet, nodes, mountPoints });
  await ensureNetwork(addresses, options.owner);
  const configs = await Promise.all(clusters.map((cluster) => prepareNode(options, cluster)));
  writeFileAtomic(labKubeconfig(stateDir), stringify(mergeKubeconfigs(configs)), secretMode);
  await Promise.all(
    nodes.map(async (node) => {
      await awaitApi(options, node, '/readyz', 'its API server to answer', () => undefined);
      options.report(`${node}: API server answers at https://${placeOf(options, node).node}:6443`);
    }),
  );
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
  ensureCgroups(name);
  const spec: NodeSpec = {
    ...cluster,
    address: place.node,
    loadBalancers: [...place.loadBalancers],
    pods: place.pods,
    services: place.services,
    folder,
    logs: nodeLogs(stateDir, name),
    path: options.path,
    cniPlugins: '/usr/lib/cni',
    pauseImage: options.pauseImage,
    cgroupRoot: cgroupRoot(name),
  };
  startNode(spec);
  options.report(`${name}: node started`);
  return admin;
}

/** Imports the images that a node does not have yet, in all nodes at once. Names are immutable, so a name decides. */
export async function importImages(options: LabOptions, images: readonly ImageArchive[]): Promise<void> {
  await Promise.all(
    options.clusters.map(async ({ name: node }) => {
      const present = await listImages(options, node);
      for (const { reference, archive } of images.filter(({ reference }) => !present.includes(reference))) {
        await ctr(options, node, ['images', 'import', '--local', archive]);
        options.report(`${node}: image ${reference}`);
      }
    }),
  );
}

async function listImages(options: LabOptions, node: string): Promise<readonly string[]> {
  return waitFor(
    {
      what: `containerd of node ${node} to answer`,
      timeoutMs: waitMs,
      whereToLook: () => join(nodeLogs(options.stateDir, node), 'containerd.log'),
      ...(options.signal && { signal: options.signal }),
    },
    async () => {
      const { code, stdout, stderr } = await ctr(options, node, ['images', 'list', '--quiet'], [0, 1]);
      return code === 0
        ? { done: true, value: stdout.split('\n').filter(Boolean) }
        : { done: false, because: stderr.trim() };
    },
  );
}

/** containerd's client, inside the node's mount namespace, where containerd's socket is. */
function ctr(options: LabOptions, node: string, args: readonly string[], okCodes?: readonly number[]) {
  return run(
    'nsenter',
    [`--target=${runningNode(options, node).pid}`, '--mount', 'ctr', '--namespace=k8s.io', ...args],
    {
      env: { PATH: `${options.path}:${process.env['PATH'] ?? ''}` },
      cwd: '/',
      timeoutMs: 300_000,
      ...(okCodes && { okCodes }),
      ...(options.signal && { signal: options.signal }),
    },
  );
}

/** The node's outer process. @throws ProblemsError (exit code 1) when it has ended. */
function runningNode(options: LabOptions, node: string): ProcessIdentity {
  const running = nodeProcess(options.stateDir, node);
  if (running !== undefined) return running;
  const log = join(nodeLogs(options.stateDir, node), 'node.log');
  throw new ProblemsError([{ where: `node ${node}`, what: 'ended', fix: `look at ${log}` }], 1);
}

const nodeSchema = z.object({
  status: z.object({
    conditions: z.array(z.object({ type: z.string(), status: z.string(), message: z.string() })),
  }),
});

/** Waits until each cluster's node is Ready. */
export async function awaitNodesReady(options: LabOptions): Promise<void> {
  await Promise.all(
    options.clusters.map(({ name }) =>
      awaitApi(options, name, `/api/v1/nodes/${name}`, 'its node to be Ready', (body) => {
        const { conditions } = nodeSchema.parse(JSON.parse(body)).status;
        const ready = conditions.find(({ type }) => type === 'Ready');
        return ready?.status === 'True' ? undefined : (ready?.message ?? 'the kubelet has not reported yet');
      }),
    ),
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
      runningNode(options, node);
      const failing = failingDaemons(options.stateDir, node);
      if (failing.length > 0) throw new ProblemsError(failing, 1);
      const { status, body } = await askApiServer(pki, placeOf(options, node).node, path);
      const because = status === 200 ? missing(body) : `${status || 'no answer'}: ${body.slice(0, 200)}`;
      return because === undefined ? { done: true, value: undefined } : { done: false, because };
    },
  );
}

/**
 * Takes the lab of this checkout down: processes, namespaces, control groups, mount points, state.
 * Logs stay until `purge`. Nothing happens when there is no lab.
 */
export async function stopLab(stateDir: string, report: (line: string) => void): Promise<void> {
  const record = readLabRecord(stateDir);
  if (record === undefined) return;
  for (const node of record.nodes) {
    await stopNode(stateDir, node);
    await endProcesses(nodeNamespace(node));
    report(`${node}: node ended`);
  }
  await endProcesses(bridgeNamespace);
  await removeNetwork(record.nodes);
  for (const node of record.nodes) await removeCgroups(node);
  removeMountPoints(record.mountPoints);
  rmSync(join(stateDir, 'nodes'), { recursive: true, force: true });
  rmSync(labKubeconfig(stateDir), { force: true });
  removeLabRecord(stateDir);
  report('network, control groups and state removed');
}
