import { openClients } from '../../../infra/kube/connection.ts';
import { describe, field, list } from '../../../infra/kube/kube-object.ts';
import type { KubeObject } from '../../../infra/kube/kube-object.ts';
import { kubeconfig } from '../checkout/lab.ts';
import { clusters } from './istio.ts';

/** Everything that a cluster holds, as text, by its kind and name. */
export type Snapshot = ReadonlyMap<string, string>;

/** Written all the time by those who lead, watch or report. */
const passing = ['Event', 'Lease', 'Node', 'Endpoints'];

/**
 * All objects of both clusters that can be listed, without what moves by itself: resourceVersion, managedFields, status, the CA
 * that istiod writes into its webhooks, and the ConfigMaps that istiod keeps in namespaces.
 */
export async function takeSnapshot(): Promise<Snapshot> {
  const access = Object.fromEntries(clusters.map((name) => [name, { kubeconfig, context: name }]));
  const found = await Promise.all(
    Object.values(openClients(clusters, access)).map(async (client) => {
      const types = (await client.sweepableTypes()).filter(({ kind }) => !passing.includes(kind));
      const objects = await Promise.all(types.map((type) => client.list(type)));
      return objects
        .flat()
        .filter((object) => !isOfIstiod(object))
        .map(
          (object) =>
            [`${client.cluster}: ${object.apiVersion} ${describe(object)}`, inText(object)] as const,
        );
    }),
  );
  return new Map(found.flat());
}

function isOfIstiod({ kind, metadata }: KubeObject): boolean {
  const { labels = {}, annotations = {} } = metadata;
  const leads = annotations['control-plane.alpha.kubernetes.io/leader'] !== undefined;
  return kind === 'ConfigMap' && (leads || labels['istio.io/config'] === 'true');
}

function inText(object: KubeObject): string {
  const { metadata, ...rest } = object;
  const kept = Object.entries(metadata).filter(
    ([key]) => !['resourceVersion', 'managedFields'].includes(key),
  );
  const webhooks = list(object, 'webhooks').map((webhook) => {
    const config = field(webhook, 'clientConfig') as object;
    return { ...(webhook as object), clientConfig: { ...config, caBundle: undefined } };
  });
  const body = { ...rest, status: undefined, ...(webhooks.length > 0 && { webhooks }) };
  return JSON.stringify({ ...body, metadata: Object.fromEntries(kept) }, null, 1);
}

/** What has changed, or is gone, of what was there before; and with `alone`, what has come. */
export function differences(before: Snapshot, after: Snapshot, alone = false): readonly string[] {
  const changed = [...before].flatMap(([name, text]) => {
    const now = after.get(name);
    if (now === undefined) return [`${name} is gone`];
    return now === text ? [] : [`${name} was\n${text}\nand is\n${now}`];
  });
  const come = alone ? [...after.keys()].filter((name) => !before.has(name)) : [];
  return [...changed, ...come.map((name) => `${name} has come`)];
}
