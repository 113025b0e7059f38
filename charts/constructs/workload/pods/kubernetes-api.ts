import { k8s } from 'cdk8s-plus-28';
import type { PodConfig } from '../../../../apps/config/pod/pod.ts';
import type { Problem } from '../../../../core/problem.ts';
import { acceptedBy } from '../../../gates/rules/rule.ts';
import { isExisting, type AnyPlatform } from '../../scope/platform.ts';
import type { Metadata, Projection } from '../../scope/projection.ts';

type Json = Readonly<Record<string, unknown>>;

/** The name by which clients call it, which certificates of API servers are for. It is no name that gateways between clusters pass on. */
const host = 'kubernetes.default.svc';
/** The name by which its address is found. */
const address = `${host}.cluster.local`;
const port = 443;
const volume = 'kubernetes-api';

/** Those in which it is known already, of each cluster that is rendered. */
const namespaces = new WeakMap<Projection, Set<string>>();

/** What calls the Kubernetes API has to be let through to, as entries of a Sidecar. */
export function apiEgress(namespace: string): readonly string[] {
  return [`${namespace}/${host}`];
}

/**
 * Makes the API server known in a namespace, to those whose Sidecars name it: istiod watches the namespaces of the mesh, and its Service is in
 * another one. Calls are told by the name in their TLS, as those of an ExternalService are.
 */
export function addApiServer(into: Projection, where: string, namespace: string): void {
  const known = namespaces.get(into) ?? new Set();
  if (known.has(namespace)) return;
  namespaces.set(into, known.add(namespace));
  into.addIstio(
    '40-services',
    where,
    'ServiceEntry',
    { name: 'kubernetes-api', namespace },
    {
      hosts: [host],
      location: 'MESH_EXTERNAL',
      ports: [{ number: port, name: 'tls', protocol: 'TLS' }],
      resolution: 'DNS',
      endpoints: [{ address }],
      exportTo: ['.'],
    },
  );
}

/** Grants an account what its workload may do with the Kubernetes API, in its own namespace. */
export function addRole(into: Projection, metadata: Metadata, { kubernetesApi }: PodConfig): void {
  const rules = kubernetesApi?.rules ?? [];
  if (rules.length === 0) return;
  const { name, namespace = '' } = metadata;
  const reasons = rules.flatMap(({ reason }, index) =>
    reason === undefined ? [] : [`rules[${index}]: ${reason}`],
  );
  const noted =
    reasons.length === 0 ? {} : { annotations: { [acceptedBy('least-rights')]: reasons.join('; ') } };
  into.add(
    '40-services',
    k8s.KubeRole,
    { ...metadata, ...noted },
    {
      rules: rules.map(({ apiGroups = [''], resources, resourceNames, verbs }) => ({
        apiGroups: [...apiGroups],
        resources: [...resources],
        ...(resourceNames === undefined ? {} : { resourceNames: [...resourceNames] }),
        verbs: [...verbs],
      })),
    },
  );
  into.add('40-services', k8s.KubeRoleBinding, metadata, {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  });
}

/** What the kubelet puts into every pod that asks for a token; here for one container, and not for the proxy beside it. */
export const apiVolume: Json = {
  name: volume,
  projected: {
    defaultMode: 0o444,
    sources: [
      { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
    ],
  },
};

export const apiMount: Json = {
  name: volume,
  mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
  readOnly: true,
};

/** Clients would go by the address of the Service, and the proxy tells them by the name in their TLS alone. */
export const apiVariable: Json = { name: 'KUBERNETES_SERVICE_HOST', value: host };

/** What keeps a workload from the Kubernetes API. */
export function apiProblems(
  where: string,
  platform: AnyPlatform,
  { kubernetesApi }: PodConfig,
): readonly Problem[] {
  if (kubernetesApi === undefined || !isExisting(platform)) return [];
  const what =
    'is not there on an Istio of others, of which nobody here knows whether proxies of its mesh see the API server';
  return [{ where: `${where}.kubernetesApi`, what, fix: 'remove it' }];
}
