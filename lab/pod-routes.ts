import { run } from '../core/run.ts';
import type { LabAddresses } from './addresses.ts';
import { nodeNamespace } from './network.ts';

/**
 * The routes of a node to the pods of each other one, as `ip route replace` takes them: by the other node's address where both
 * clusters are on one network, else none that leads anywhere.
 * @param networks - of each cluster, by its name
 */
export function podRoutes(
  addresses: LabAddresses,
  networks: Readonly<Record<string, string>>,
  node: string,
): readonly (readonly string[])[] {
  return Object.entries(addresses.nodes)
    .filter(([name]) => name !== node)
    .map(([name, other]) =>
      networks[name] !== undefined && networks[name] === networks[node]
        ? [other.pods, 'via', other.node]
        : // Else the default route would lead them to the machine, and out of it.
          ['unreachable', other.pods],
    );
}

/** Routes the pods of clusters on one network to each other; between networks only gateways are reached. */
export async function routePods(
  addresses: LabAddresses,
  networks: Readonly<Record<string, string>>,
): Promise<void> {
  for (const node of Object.keys(addresses.nodes)) {
    for (const route of podRoutes(addresses, networks, node))
      await run('ip', ['-n', nodeNamespace(node), 'route', 'replace', ...route], { timeoutMs: 20_000 });
  }
}
