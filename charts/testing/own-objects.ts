import { expect } from '@jest/globals';
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
  readonly labels?: Readonly<Record<string, string>>;
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

/** A case of {@link expectRefused}, with its name in front. */
export type Refused = [name: string, object: Own, rule: string, what: string, fix: string];

/** Expects synth to refuse an object by a rule, unless the object itself says why it has to be so. */
export function expectRefused(object: Own, rule: string, what: string, fix: string): void {
  const annotation = `meshwright/accept-${rule}`;
  expect(said(object)).toEqual([
    `demo/custom: ${what}; fix: ${fix}; or, if it has to be so, give the reason in its annotation ${annotation}`,
  ]);
  // A reason in writing is what makes an exception, and one of nothing else. It does not lower the level of a namespace.
  const noted = (name: string, reason: string): Own => ({
    ...object,
    annotations: { ...object.annotations, [name]: reason },
  });
  const reasoned = said(noted(annotation, 'as the auditors know'));
  const inVain =
    `demo/custom: ${what.replace(/; received|$/, `, for which there is a reason, and the level restricted of namespace shop refuses its pods all the same$&`)}; ` +
    'fix: declare the namespace with podSecurity: { level, reason }, or remove it';
  const makesPods = object.kind !== 'PersistentVolume';
  const levelRefuses = rule === 'no-node-access' && makesPods;
  expect(reasoned).toEqual(levelRefuses ? [inVain.replace(/; allowed [^;]*/, '')] : []);
  expect(said(noted(annotation, ' '))).toHaveLength(1);
  expect(said(noted('meshwright/accept-other', 'a reason'))).toHaveLength(1);
}

function addTo(
  into: Projection,
  { apiVersion, kind, name = 'own', annotations = {}, labels = {}, body, ...more }: Own,
) {
  const { namespace = 'shop' } = more;
  const metadata = {
    name,
    annotations,
    labels,
    ...('namespace' in more && more.namespace === undefined ? {} : { namespace }),
  };
  into.addCustom('40-services', { apiVersion, kind }, metadata, body);
}

export const security = (kind: string, spec: object, namespace = 'shop'): Own => ({
  apiVersion: 'security.istio.io/v1',
  kind,
  namespace,
  body: { spec },
});
export const image = `registry.example/app@sha256:${'0a'.repeat(32)}`;
export const resources = { requests: { cpu: '1m', memory: '16Mi' }, limits: { memory: '16Mi' } };
/** As the Pod Security level `restricted` asks. */
const securityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
};
const podContext = { seccompProfile: { type: 'RuntimeDefault' }, runAsNonRoot: true };
type Secured = Readonly<Record<string, unknown>> & { readonly securityContext?: object };
/** Pods as they have to be, but for what is given; security contexts key by key. */
export const deployment = (container: Secured = {}, spec: Secured = {}, metadata: object = {}): Own => {
  const own = { ...securityContext, ...container.securityContext };
  const containers = [{ name: 'own', image, resources, ...container, securityContext: own }];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    body: {
      spec: {
        selector: { matchLabels: { app: 'own' } },
        template: {
          metadata: { labels: { app: 'own' }, ...metadata },
          spec: { containers, ...spec, securityContext: { ...podContext, ...spec.securityContext } },
        },
      },
    },
  };
};
export const rbac = (kind: string, body: object): Own => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind,
  namespace: undefined,
  body,
});
export const envoy = (applyTo: string, match: object, patch: object): Own => ({
  apiVersion: 'networking.istio.io/v1alpha3',
  kind: 'EnvoyFilter',
  body: { spec: { priority: 10, configPatches: [{ applyTo, match, patch }] } },
});
export const httpFilter = (name: string) => ({
  listener: {
    filterChain: { filter: { name: 'envoy.filters.network.http_connection_manager', subFilter: { name } } },
  },
});
export const service = (spec: object): Own => ({ apiVersion: 'v1', kind: 'Service', body: { spec } });
