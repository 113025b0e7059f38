import { field, labelManaged } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { PlannedSecret } from '../plan/plan.ts';
import { remoteSecret } from '../remote/remote-secret.ts';
import { cacertsSecret } from '../trust/objects.ts';
import { initialTrust } from '../trust/state.ts';

/**
 * What a store keeps of a plan. The trust anchors are no secret, and not needed as long as the root stays: a control plane
 * sends the proxies the roots of its own `cacerts`, too. For a change of the root they are in the tree (`trustRoots`).
 */
export type StoredSecret = Exclude<PlannedSecret, { kind: 'trust-anchors' }>;

export function isStored(secret: PlannedSecret): secret is StoredSecret {
  return secret.kind !== 'trust-anchors';
}

/** Where the external-secrets operator finds what the plan's secrets hold. */
export interface SecretStore {
  readonly kind: 'ClusterSecretStore' | 'SecretStore';
  readonly name: string;
  /** A secret's key in the store, with `{cluster}` and `{secret}` in place of their names. */
  readonly key: string;
}

/** A planned secret as it is referred to: what the store has to hold, and the object that fetches it. */
export interface SecretReference {
  readonly cluster: string;
  /** `istio-system/cacerts` */
  readonly secret: string;
  /** In the store. */
  readonly key: string;
  /** Fields of the key's value, a JSON object or what the store has in its place. */
  readonly properties: readonly string[];
  readonly object: KubeObject;
}

/** Fetched again as often, so that a renewed token or CA arrives without a commit. */
const refreshInterval = '1h0m0s';

/** Stand for the values in a Secret that the product's own functions shape; no value of theirs is known here. */
const marks = { server: 'VALUE-OF-SERVER', ca: 'VALUE-OF-CA', token: 'VALUE-OF-TOKEN' } as const;

/**
 * The ExternalSecret (external-secrets.io/v1) that makes a planned secret in a cluster, of the same shape as the drivers
 * make it: the same functions give it, with templates for values.
 */
export function referSecret(
  mesh: string,
  cluster: string,
  secret: StoredSecret,
  store: SecretStore,
): SecretReference {
  const { namespace, name } = secret;
  const key = store.key.replaceAll('{cluster}', cluster).replaceAll('{secret}', name);
  const { shape, properties, data } = templateOf(mesh, secret);
  const { labels } = shape.metadata;
  // Of which state of trust the store's values are is not known here.
  const annotations = secret.kind === 'cacerts' ? undefined : shape.metadata.annotations;
  const object = {
    apiVersion: 'external-secrets.io/v1',
    kind: 'ExternalSecret',
    metadata: { name, namespace },
    spec: {
      refreshInterval,
      secretStoreRef: { kind: store.kind, name: store.name },
      target: {
        name,
        // What istiod runs on does not go with its ExternalSecret, such as when `up` carries on and prunes that.
        creationPolicy: 'Orphan',
        deletionPolicy: 'Retain',
        template: {
          engineVersion: 'v2',
          type: shape['type'],
          metadata: { labels, ...(annotations && { annotations }) },
          ...(data && { data }),
        },
      },
      data: properties.map((property) => ({ secretKey: property, remoteRef: { key, property } })),
    },
  };
  return { cluster, secret: `${namespace}/${name}`, key, properties, object: labelManaged(object, mesh) };
}

interface Template {
  readonly shape: KubeObject;
  readonly properties: readonly string[];
  /** Go templates by key of the Secret; without them its keys are the properties. */
  readonly data?: Readonly<Record<string, string>>;
}

function templateOf(mesh: string, secret: StoredSecret): Template {
  switch (secret.kind) {
    case 'cacerts': {
      const nothing = { certificate: '', key: '', chain: '', roots: '', notAfter: new Date(0) };
      const shape = cacertsSecret(mesh, secret.namespace, { ...nothing, state: initialTrust });
      return { shape, properties: Object.keys(dataOf(shape)) };
    }
    case 'remote-secret': {
      const shape = remoteSecret(mesh, secret.of, secret.namespace, marks);
      const data = Object.entries(dataOf(shape)).map(([key, value]) => {
        const kubeconfig = Buffer.from(value, 'base64')
          .toString('utf8')
          .replaceAll(marks.server, '{{ .server }}')
          .replaceAll(Buffer.from(marks.ca).toString('base64'), '{{ .ca | b64enc }}')
          .replaceAll(marks.token, '{{ .token }}');
        return [key, kubeconfig] as const;
      });
      return { shape, properties: Object.keys(marks), data: Object.fromEntries(data) };
    }
  }
}

function dataOf(secret: KubeObject): Readonly<Record<string, string>> {
  return field(secret, 'data') as Readonly<Record<string, string>>;
}
