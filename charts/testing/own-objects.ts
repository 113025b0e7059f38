import type { Projection } from '../constructs/scope/projection.ts';
import { problemsWith } from './custom.ts';
import { catalogIn } from './mesh.ts';

/** An object of a construct of one's own. */
export interface Own {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name?: string;
  readonly namespace?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>>;
  /** What stands beside the metadata. */
  readonly body: object;
}

/** What synth says of objects of a construct of one's own, beside a catalog. */
export function said(...objects: readonly Own[]): readonly string[] {
  return problemsWith(
    (into) => {
      for (const object of objects) addTo(into, object);
    },
    (_, shop) => catalogIn(shop),
  );
}

function addTo(into: Projection, { apiVersion, kind, name = 'own', annotations = {}, body, ...more }: Own) {
  const { namespace = 'shop' } = more;
  const metadata = {
    name,
    annotations,
    ...('namespace' in more && more.namespace === undefined ? {} : { namespace }),
  };
  into.addCustom('40-services', { apiVersion, kind }, metadata, body as { spec: object });
}

export const security = (kind: string, spec: object, namespace = 'shop'): Own => ({
  apiVersion: 'security.istio.io/v1',
  kind,
  namespace,
  body: { spec },
});
const image = `registry.example/app@sha256:${'0a'.repeat(32)}`;
const resources = { requests: { cpu: '1m', memory: '16Mi' }, limits: { memory: '16Mi' } };
export const deployment = (container: object = {}, spec: object = {}, metadata: object = {}): Own => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  body: {
    spec: {
      selector: { matchLabels: { app: 'own' } },
      template: {
        metadata: { labels: { app: 'own' }, ...metadata },
        spec: { containers: [{ name: 'own', image, resources, ...container }], ...spec },
      },
    },
  },
});
export const rbac = (kind: string, body: object): Own => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind,
  namespace: undefined,
  body,
});
export const envoy = (applyTo: string, match: object, patch: object): Own => ({
  apiVersion: 'networking.istio.io/v1alpha3',
  kind: 'EnvoyFilter',
  body: { spec: { configPatches: [{ applyTo, match, patch }] } },
});
export const httpFilter = (name: string) => ({
  listener: {
    filterChain: { filter: { name: 'envoy.filters.network.http_connection_manager', subFilter: { name } } },
  },
});
export const service = (spec: object): Own => ({ apiVersion: 'v1', kind: 'Service', body: { spec } });
