import { field, labelManaged } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { PlannedSecret } from '../plan/plan.ts';
import { remoteSecret } from '../remote/remote-secret.ts';
import { cacertsSecret } from '../trust/objects.ts';
import { initialTrust } from '../trust/state.ts';

/**
 * A secret of the plan that a store keeps. The trust anchors are not secret, and not needed while the root stays: a control
 * plane also sends the proxies the roots of its own `cacerts`. For a change of the root they are in the tree (`trustRoots`).
 */
export type StoredSecret = Exclude<PlannedSecret, { kind: 'trust-anchors' }>;

export function isStored(secret: PlannedSecret): secret is StoredSecret {
  return secret.kind !== 'trust-anchors';
}

/** The store from which the external-secrets operator reads the content of the plan's secrets. */
export interface SecretStore {
  readonly kind: 'ClusterSecretStore' | 'SecretStore';
  readonly name: string;
  /** A secret's key in the store, with `{cluster}` and `{secret}` in place of their names. */
  readonly key: string;
}

/** A reference to a planned secret: what the store has to contain, and the object that fetches it. */
export interface SecretReference {
  readonly cluster: string;
  /** `istio-system/cacerts` */
  readonly secret: string;
  /** Key in the store. */
  readonly key: string;
  /** Fields of the key's value, which is a JSON object or the store's equivalent. */
  readonly properties: readonly string[];
  readonly object: KubeObject;
}

/** How often secrets are fetched again, so that a renewed token or CA arrives without a commit. */
const refreshInterval = '1h0m0s';

/** Placeholders for the values in a Secret that the product's own functions build; the values themselves are not known here. */
const marks = { server: 'VALUE-OF-SERVER', ca: 'VALUE-OF-CA', token: 'VALUE-OF-TOKEN' } as const;

/**
 * The ExternalSecret (external-secrets.io/v1) that creates a planned secret in a cluster, in the same shape as the drivers
 * create it: the same functions build it, with templates instead of values.
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
  // The trust state of the store's values is not known here.
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
        // The secrets that istiod uses must not be deleted with their ExternalSecret, for example when a later `up` prunes it.
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
