import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { throwIfAny, type Problem } from '../core/problem.ts';
import { run } from '../core/run.ts';
import { shellWord } from '../core/shell.ts';
import { waitFor } from '../core/wait.ts';
import type { LabAddresses } from './addresses.ts';
import { netnsFolder } from './netns-folder.ts';

/** Network namespace that holds the bridge. In a namespace of its own, no firewall rule of the host touches it. */
export const bridgeNamespace = 'meshwright';

/** The host's end of the veth pair to the bridge. Its alias names the owner of the lab. */
export const hostLink = 'meshwright0';

/** The network namespace of a node. */
export function nodeNamespace(node: string): string {
  return `meshwright-${node}`;
}

const ip = (...args: string[]) => run('ip', args, { timeoutMs: 20_000 });

function namespaceExists(name: string): boolean {
  return existsSync(join(netnsFolder, name));
}

/** The nodes that have a network namespace: needed to remove a lab whose record was lost. */
export function nodesInNetwork(): readonly string[] {
  if (!existsSync(netnsFolder)) return [];
  const prefix = nodeNamespace('');
  return readdirSync(netnsFolder)
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
}

/**
 * Creates what is missing of the lab's network: a bridge in a namespace, a veth pair from the host to it, and for
 * each node a namespace with a veth pair to it. Incomplete parts of an interrupted run are removed and created again.
 * @throws ProblemsError (exit code 2) when the existing network belongs to another owner.
 */
export async function ensureNetwork(addresses: LabAddresses, owner: string): Promise<void> {
  const current = labOwner();
  throwIfAny(ownerProblems(owner, current));
  if (current === undefined) {
    await removeNetwork(Object.keys(addresses.nodes));
    await makeBridge(addresses, owner);
  }
  for (const [index, [node, { node: address }]] of Object.entries(addresses.nodes).entries()) {
    if (!(await hasAddress(node, address))) await makeNode(addresses, node, address, index);
  }
}

async function makeBridge(addresses: LabAddresses, owner: string): Promise<void> {
  await ip('netns', 'add', bridgeNamespace);
  await ip('-n', bridgeNamespace, 'link', 'set', 'lo', 'up');
  await ip('-n', bridgeNamespace, 'link', 'add', 'bridge0', 'type', 'bridge');
  await ip('-n', bridgeNamespace, 'link', 'set', 'bridge0', 'up');
  await ip('link', 'add', hostLink, 'type', 'veth', 'peer', 'name', 'host', 'netns', bridgeNamespace);
  await ip('-n', bridgeNamespace, 'link', 'set', 'host', 'master', 'bridge0', 'up');
  await ip('address', 'add', `${addresses.host}/24`, 'dev', hostLink);
  await ip('link', 'set', hostLink, 'up');
  // Last: the alias marks the bridge as complete.
  await ip('link', 'set', hostLink, 'alias', owner);
}

async function makeNode(
  addresses: LabAddresses,
  node: string,
  address: string,
  index: number,
): Promise<void> {
  const namespace = nodeNamespace(node);
  if (namespaceExists(namespace)) await ip('netns', 'delete', namespace);
  await run('ip', ['-n', bridgeNamespace, 'link', 'delete', `node${index}`], {
    okCodes: [0, 1],
    timeoutMs: 20_000,
  });
  await ip('netns', 'add', namespace);
  await ip(
    '-n',
    bridgeNamespace,
    'link',
    'add',
    `node${index}`,
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'netns',
    namespace,
  );
  await ip('-n', bridgeNamespace, 'link', 'set', `node${index}`, 'master', 'bridge0', 'up');
  await ip('-n', namespace, 'link', 'set', 'lo', 'up');
  await ip('-n', namespace, 'link', 'set', 'eth0', 'up');
  await ip('-n', namespace, 'address', 'add', `${address}/24`, 'dev', 'eth0');
  // A default route must exist for Service addresses to reach kube-proxy's rules; nothing answers behind it.
  await ip('-n', namespace, 'route', 'add', 'default', 'via', addresses.host);
}

/** Removes every namespace of the lab; bridge, veth pairs and addresses go with them. */
export async function removeNetwork(nodes: readonly string[]): Promise<void> {
  for (const name of [...nodes.map(nodeNamespace), bridgeNamespace]) {
    if (namespaceExists(name)) await ip('netns', 'delete', name);
  }
  // The kernel removes a deleted namespace's veth pairs a moment later; deleting this end removes them now.
  if (existsSync(`/sys/class/net/${hostLink}`)) {
    await run('ip', ['link', 'delete', hostLink], { okCodes: [0, 1], timeoutMs: 20_000 });
  }
}

/** Ids of all processes in the network namespaces of the lab; undefined when the bridge's namespace is not visible from here. */
export async function processesOfLab(): Promise<readonly number[] | undefined> {
  if (!namespaceExists(bridgeNamespace)) return undefined;
  const namespaces = [bridgeNamespace, ...nodesInNetwork().map(nodeNamespace)];
  return (await Promise.all(namespaces.map(processesIn))).flat();
}

async function processesIn(namespace: string): Promise<readonly number[]> {
  const { stdout } = await ip('netns', 'pids', namespace);
  return stdout.split('\n').filter(Boolean).map(Number);
}

/** Ends all processes in a network namespace of the lab: what remains of a node whose record was lost. */
export async function endProcesses(namespace: string): Promise<void> {
  if (!namespaceExists(namespace)) return;
  await waitFor(
    { what: `the processes in network namespace ${namespace} to end`, timeoutMs: 30_000, intervalMs: 50 },
    async () => {
      const pids = await processesIn(namespace);
      for (const pid of pids) endProcess(pid);
      return pids.length === 0
        ? { done: true, value: undefined }
        : { done: false, because: `processes ${pids.join(', ')}` };
    },
  );
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const linksSchema = z.array(
  z.object({
    addr_info: z.array(z.object({ local: z.string().optional(), prefixlen: z.number() })).optional(),
  }),
);

async function links(...args: string[]): Promise<z.infer<typeof linksSchema>> {
  const { stdout } = await ip('-json', ...args);
  return linksSchema.parse(JSON.parse(stdout === '' ? '[]' : stdout));
}

/** The owner of the lab on this machine, by the path of the state folder; none when there is no lab. */
export function labOwner(): string | undefined {
  // As the kernel has it: `ip` escapes it in ways of its own.
  const file = `/sys/class/net/${hostLink}/ifalias`;
  if (!existsSync(file)) return undefined;
  const alias = readFileSync(file, 'utf8').replace(/\n$/, '');
  return alias === '' ? undefined : alias;
}

/** Bytes that the kernel keeps of a link's alias (IFALIASZ in linux/if.h, less the NUL at its end). */
const longestAlias = 255;

/** The problem when the path of a state folder is too long to mark the lab as its own. */
export function ownerLengthProblems(owner: string): readonly Problem[] {
  const bytes = Buffer.byteLength(owner);
  if (bytes <= longestAlias) return [];
  return [
    {
      where: 'lab',
      what: 'the path of its state folder is too long: the kernel keeps it as the name of whose lab it is',
      received: `${bytes} bytes: ${owner}`,
      allowed: `${longestAlias} bytes`,
      fix: 'move the checkout to a folder with a shorter path, or set MESHWRIGHT_STATE_DIR to one',
    },
  ];
}

/** The problem when the existing lab belongs to another owner. */
export function ownerProblems(owner: string, current: string | undefined): readonly Problem[] {
  if (current === undefined || current === owner) return [];
  return [
    {
      where: 'lab',
      what: 'another checkout has its lab on this machine',
      received: current,
      allowed: 'one lab per machine',
      fix: `take that one down: \`MESHWRIGHT_STATE_DIR=${shellWord(current)} npm run down\``,
    },
  ];
}

async function hasAddress(node: string, address: string): Promise<boolean> {
  const namespace = nodeNamespace(node);
  if (!namespaceExists(namespace)) return false;
  const found = await links('-n', namespace, 'address', 'show', 'dev', 'eth0');
  const routes = await ip('-n', namespace, 'route', 'show', 'default');
  return routes.stdout !== '' && found.some((link) => link.addr_info?.some((info) => info.local === address));
}

const routesSchema = z.array(z.object({ dst: z.string(), dev: z.string().optional() }));

/** The IPv4 networks this machine already has a route to, but for the lab's own and the default route. */
export async function networksInUse(): Promise<
  readonly { readonly network: string; readonly device: string }[]
> {
  const { stdout } = await ip('-json', '-4', 'route', 'show', 'table', 'all');
  return routesSchema
    .parse(JSON.parse(stdout === '' ? '[]' : stdout))
    .filter((route) => route.dst !== 'default' && route.dev !== hostLink)
    .map((route) => ({ network: route.dst, device: route.dev ?? '?' }));
}
