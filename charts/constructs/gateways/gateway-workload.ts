import { gatewayDrainSeconds } from '../traffic/connection-age.ts';
import { k8s } from 'cdk8s-plus-28';
import type { Differs } from '../../model/rendered.ts';
import { overloadLimits } from './overload.ts';
import { gatewayService } from './service.ts';
import type { GatewayPort, Gateways } from '../scope/gateway-address.ts';
import type { Mesh } from '../scope/mesh-construct.ts';
import { networkLabel } from '../scope/names.ts';
import { podSecurityLabels } from '../scope/pod-security.ts';
import { pullSecrets } from '../scope/platform.ts';
import {
  disruptionBudget,
  quantities,
  restrictedContainer,
  restrictedPod,
  spread,
} from '../workload/pod-defaults.ts';
import type { Projection } from '../scope/projection.ts';
import { proxyConfigChecksum } from '../telemetry/proxy-config.ts';
import { exportTo, exportToAnnotations } from '../scope/visibility.ts';

export interface GatewayWorkloadProps {
  readonly mesh: Mesh;
  /** Which of a cluster's gateways it is. */
  readonly gateway: keyof Gateways;
  readonly namespace: string;
  readonly name: string;
  /** Value of the `istio` label that Istio Gateways select the pods by. */
  readonly selector: string;
  /** Beside the port for the load balancer's health checks. */
  readonly ports: readonly GatewayPort[];
  /** Network that the gateway is the way into, for an east-west gateway. */
  readonly network?: string;
  /**
   * Whether it gets to know the address a client calls from, which limits by client need. The load balancer then sends
   * traffic only to nodes that run the gateway, as its health checks tell it. @default false
   */
  readonly keepsClientAddress?: boolean;
}

/** Tells a gateway to send traffic only to endpoints of its own network. */
const networkView = 'ISTIO_META_REQUESTED_NETWORK_VIEW';

/** User and group of Istio's proxy images. */
const proxyUser = 1337;

/**
 * Adds a gateway to a cluster: its namespace, and an Envoy that istiod's webhook fills in by the injection template
 * `gateway` (https://istio.io/latest/docs/setup/additional-setup/gateway/). Its ports are unprivileged and it runs as
 * non-root, so its namespace enforces `restricted`.
 */
export function addGatewayWorkload(into: Projection, props: GatewayWorkloadProps): void {
  const { namespace, name, mesh, network } = props;
  const selector = { istio: props.selector };
  const labels = { ...selector, ...(network === undefined ? {} : { [networkLabel]: network }) };
  const metadata = { name, namespace, labels, ...(network === undefined ? {} : { differs: ofNetwork }) };
  const { replicas, requests, limits } = mesh.platform.gateway;
  const overload = overloadLimits(name, limits.memory);
  into.add(
    '00-namespaces',
    k8s.KubeNamespace,
    { name: namespace, labels: podSecurityLabels('restricted') },
    {},
  );
  into.add('20-gateways', k8s.KubeServiceAccount, metadata, {
    automountServiceAccountToken: false,
    ...pullSecrets(mesh.platform),
  });
  // Nobody in the mesh calls a gateway by its Service's name.
  const service = gatewayService(mesh, into.cluster, props.gateway, props.ports);
  const annotations = { ...exportToAnnotations(exportTo(namespace, [])), ...service.annotations };
  into.add(
    '20-gateways',
    k8s.KubeService,
    { ...metadata, annotations, ...both(metadata.differs, service.differs) },
    {
      spec: {
        ...(props.keepsClientAddress === true ? { externalTrafficPolicy: 'Local' } : {}),
        ...service.spec,
        selector,
      },
    },
  );
  into.add(
    '20-gateways',
    k8s.KubeConfigMap,
    { name: overload.configMap.name, namespace, app: name },
    { data: overload.configMap.data },
  );
  const reasons = { 'meshwright/accept-behind-proxy': overload.reason };
  into.add(
    '20-gateways',
    k8s.KubeDeployment,
    { ...metadata, annotations: reasons },
    {
      spec: {
        replicas,
        selector: { matchLabels: selector },
        template: {
          metadata: {
            annotations: {
              'inject.istio.io/templates': 'gateway',
              // Open calls get nearly all of the grace period: what passes through cannot be told to go elsewhere.
              ...proxyConfigChecksum,
              ...overload.annotations,
              'proxy.istio.io/config': JSON.stringify({
                terminationDrainDuration: `${gatewayDrainSeconds}s`,
                proxyMetadata: overload.proxyMetadata,
              }),
            },
            labels: { ...into.podLabels(name), ...labels, 'sidecar.istio.io/inject': 'true' },
          },
          spec: {
            serviceAccountName: name,
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            terminationGracePeriodSeconds: 30,
            securityContext: restrictedPod,
            ...spread(replicas, selector),
            containers: [
              {
                name: 'istio-proxy',
                image: 'auto',
                // The API server would make it Always for an image without a tag, before the webhook puts the real one.
                imagePullPolicy: 'IfNotPresent',
                ...(network === undefined ? {} : { env: [{ name: networkView, value: network }] }),
                resources: { requests: quantities(requests), limits: quantities(limits) },
                securityContext: { ...restrictedContainer, runAsUser: proxyUser, runAsGroup: proxyUser },
              },
            ],
          },
        },
      },
    },
  );
  disruptionBudget(into, '20-gateways', metadata, replicas, selector);
}

/** What says which network a gateway is the way into. */
const ofNetwork: Differs = {
  because: 'each cluster is on a network',
  paths: [
    ['metadata', 'labels', networkLabel],
    ['spec', 'template', 'metadata', 'labels', networkLabel],
    ['spec', 'template', 'spec', 'containers', 'istio-proxy', 'env', networkView, 'value'],
  ],
};

/** Two reasons to differ as one. */
function both(...reasons: readonly (Differs | undefined)[]): { readonly differs?: Differs } {
  const given = reasons.filter((reason) => reason !== undefined);
  if (given.length === 0) return {};
  return {
    differs: {
      because: given.map(({ because }) => because).join(', and '),
      paths: given.flatMap(({ paths = [] }) => paths),
    },
  };
}
