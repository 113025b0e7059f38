import { BlockList, isIP } from 'node:net';
import { ProblemsError } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { describe, field, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';

/** Where the pods of a cluster are. */
interface PodAddresses {
  readonly cluster: string;
  /** Pod by address, without those in the network of their node. */
  readonly pods: ReadonlyMap<string, KubeObject>;
  /** Ranges of nodes (`spec.podCIDRs`) that addresses of their pods are from, by node. Not every network plugin goes by them. */
  readonly ranges: readonly { readonly node: string; readonly range: string }[];
}

/**
 * Refuses clusters on one network whose pods have the same addresses: a call would get to whatever pod has the address nearby, and
 * every proxy answers on its status port, so that no trial shows it.
 * @throws ProblemsError (exit 1) with what is the same
 */
export async function refuseSameAddresses(
  network: string,
  clients: readonly [KubeClient, KubeClient],
  signal: AbortSignal | undefined,
): Promise<void> {
  const [one, other] = await Promise.all(clients.map((client) => addressesIn(client, signal)));
  const received = one === undefined || other === undefined ? undefined : sameAddress(one, other);
  if (received === undefined) return;
  const [first, second] = clients;
  throw new ProblemsError(
    [
      {
        where: `${first.cluster} and ${second.cluster}, both on network ${network}: pods`,
        what: 'have addresses of the same range: calls between the clusters would get to pods of the wrong one',
        received,
        allowed: 'ranges that do not overlap',
        fix: 'give one of the clusters another pod network, or declare networks of other names: between those, calls pass through east-west gateways; then run the command again',
      },
    ],
    1,
  );
}

async function addressesIn(client: KubeClient, signal: AbortSignal | undefined): Promise<PodAddresses> {
  const listOf = async (kind: string) => {
    const type = await client.typeOf('v1', kind, signal);
    return type === undefined ? [] : client.list(type, { ...(signal && { signal }) });
  };
  const [all, nodes] = await Promise.all([listOf('Pod'), listOf('Node')]);
  const running = all.filter(
    (pod) =>
      field(pod, 'spec', 'hostNetwork') !== true &&
      !['Succeeded', 'Failed'].includes(text(pod, 'status', 'phase') ?? ''),
  );
  const placed = running.flatMap((pod) => ipsOf(pod).map((ip) => ({ ip, pod })));
  const ranges = nodes.flatMap((node) => {
    const here = placed.filter(({ pod }) => text(pod, 'spec', 'nodeName') === node.metadata.name);
    return rangesOf(node)
      .filter((range) => here.some(({ ip }) => contains(range, ip)))
      .map((range) => ({ node: node.metadata.name, range }));
  });
  return { cluster: client.cluster, pods: new Map(placed.map(({ ip, pod }) => [ip, pod])), ranges };
}

function ipsOf(pod: KubeObject): readonly string[] {
  const all = list(pod, 'status', 'podIPs').flatMap((each) => text(each, 'ip') ?? []);
  return all.length > 0 ? all : [text(pod, 'status', 'podIP') ?? []].flat();
}

function rangesOf(node: KubeObject): readonly string[] {
  const all = list(node, 'spec', 'podCIDRs').filter((each) => typeof each === 'string');
  return all.length > 0 ? all : [text(node, 'spec', 'podCIDR') ?? []].flat();
}

/** An address or a range that both have, in words. */
function sameAddress(one: PodAddresses, other: PodAddresses): string | undefined {
  for (const [ip, pod] of one.pods) {
    const same = other.pods.get(ip);
    if (same !== undefined)
      return `${ip} of ${describe(pod)} in ${one.cluster} and of ${describe(same)} in ${other.cluster}`;
  }
  for (const { node, range } of one.ranges) {
    const same = other.ranges.find((each) => overlap(range, each.range));
    if (same !== undefined)
      return `${range} of node ${node} in ${one.cluster} and ${same.range} of node ${same.node} in ${other.cluster}`;
  }
  return undefined;
}

/** Two ranges overlap where one has the first address of the other. */
function overlap(one: string, other: string): boolean {
  return contains(one, firstOf(other)) || contains(other, firstOf(one));
}

function firstOf(range: string): string {
  return range.split('/')[0] ?? '';
}

function contains(range: string, ip: string): boolean {
  const [first = '', bits = ''] = range.split('/');
  const family = isIP(ip);
  if (family === 0 || isIP(first) !== family) return false;
  const type = family === 6 ? 'ipv6' : 'ipv4';
  const block = new BlockList();
  block.addSubnet(first, Number(bits), type);
  return block.check(ip, type);
}
