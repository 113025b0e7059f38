/** What Istio's annotations are valued: those of which a wrong value has the injection refuse the pods. */
export type Value = 'number' | 'port' | 'yes or no' | 'quantity';

export interface KnownAnnotation {
  /** Kinds of the objects that Istio reads it from. */
  readonly on: readonly string[];
  /** Read now, and dropped by a release to come; or not read any more. */
  readonly deprecated?: true;
  readonly value?: Value;
}

const pod = ['Pod'];
const networks = ['Namespace', 'Service', 'ServiceEntry'];
const old = { on: pod, deprecated: true } as const;

/**
 * Istio's annotations, from the module istio.io/api that istiod is built with; test/analyzers compares the two. Names of
 * the Gateway API's and of istiod's own writing are among them.
 */
export const knownAnnotations: Readonly<Record<string, KnownAnnotation>> = {
  'alpha.istio.io/canonical-serviceaccounts': { on: ['Service'], deprecated: true },
  'alpha.istio.io/kubernetes-serviceaccounts': { on: ['Service'], deprecated: true },
  'ambient.istio.io/bypass-inbound-capture': { on: pod },
  'ambient.istio.io/dns-capture': { on: pod },
  'ambient.istio.io/redirection': { on: pod },
  'ambient.istio.io/waypoint-inbound-binding': { on: ['GatewayClass', 'Gateway'] },
  'galley.istio.io/analyze-suppress': { on: ['Any'] },
  'gateway.istio.io/controller-version': { on: ['Any'] },
  'gateway.istio.io/name-override': { on: ['Gateway'] },
  'gateway.istio.io/service-account': { on: ['Gateway'] },
  'inject.istio.io/templates': { on: pod },
  'istio.io/autoRegistrationGroup': { on: ['WorkloadEntry'] },
  'istio.io/connectedAt': { on: ['WorkloadEntry'] },
  'istio.io/disconnectedAt': { on: ['WorkloadEntry'] },
  'istio.io/dry-run': { on: ['AuthorizationPolicy'] },
  'istio.io/reroute-virtual-interfaces': { on: pod },
  'istio.io/rev': { on: pod },
  'istio.io/use-waypoint-canary-weight': { on: ['Service', 'ServiceEntry', 'Namespace'] },
  'istio.io/workloadController': { on: ['WorkloadEntry'] },
  'kubernetes.io/ingress.class': { on: ['Ingress'] },
  'networking.istio.io/exportTo': { on: ['Service'] },
  'networking.istio.io/service-type': { on: ['Gateway'] },
  'networking.istio.io/traffic-distribution': { on: networks },
  'prometheus.istio.io/merge-metrics': { on: pod, value: 'yes or no' },
  'proxy.istio.io/config': { on: pod },
  'proxy.istio.io/overrides': { on: pod },
  'readiness.status.sidecar.istio.io/applicationPorts': { on: pod },
  'readiness.status.sidecar.istio.io/failureThreshold': { on: pod, value: 'number' },
  'readiness.status.sidecar.istio.io/initialDelaySeconds': { on: pod, value: 'number' },
  'readiness.status.sidecar.istio.io/periodSeconds': { on: pod, value: 'number' },
  'sidecar.istio.io/agentLogLevel': { on: pod },
  'sidecar.istio.io/bootstrapOverride': { on: pod },
  'sidecar.istio.io/componentLogLevel': { on: pod },
  'sidecar.istio.io/discoveryAddress': old,
  'sidecar.istio.io/extraStatTags': old,
  'sidecar.istio.io/inject': old,
  'sidecar.istio.io/interceptionMode': { on: pod },
  'sidecar.istio.io/logLevel': { on: pod },
  'sidecar.istio.io/nativeSidecar': { on: pod },
  'sidecar.istio.io/proxyCPU': { on: pod, value: 'quantity' },
  'sidecar.istio.io/proxyCPULimit': { on: pod, value: 'quantity' },
  'sidecar.istio.io/proxyImage': { on: pod },
  'sidecar.istio.io/proxyImageType': { on: pod },
  'sidecar.istio.io/proxyMemory': { on: pod, value: 'quantity' },
  'sidecar.istio.io/proxyMemoryLimit': { on: pod, value: 'quantity' },
  'sidecar.istio.io/rewriteAppHTTPProbers': { on: pod },
  'sidecar.istio.io/statsCompression': old,
  'sidecar.istio.io/statsEvictionInterval': { on: pod },
  'sidecar.istio.io/statsFlushInterval': { on: pod },
  'sidecar.istio.io/statsHistogramBins': { on: pod },
  'sidecar.istio.io/statsHistogramBuckets': { on: pod },
  'sidecar.istio.io/statsInclusionPrefixes': old,
  'sidecar.istio.io/statsInclusionRegexps': old,
  'sidecar.istio.io/statsInclusionSuffixes': old,
  'sidecar.istio.io/status': { on: pod },
  'sidecar.istio.io/userVolume': { on: pod },
  'sidecar.istio.io/userVolumeMount': { on: pod },
  'status.sidecar.istio.io/port': { on: pod, value: 'port' },
  'topology.istio.io/controlPlaneClusters': { on: ['Namespace'] },
  'traffic.istio.io/nodeSelector': { on: ['Service'] },
  'traffic.sidecar.istio.io/excludeInboundPorts': { on: pod },
  'traffic.sidecar.istio.io/excludeInterfaces': { on: pod },
  'traffic.sidecar.istio.io/excludeOutboundIPRanges': { on: pod },
  'traffic.sidecar.istio.io/excludeOutboundPorts': { on: pod },
  'traffic.sidecar.istio.io/includeInboundPorts': { on: pod },
  'traffic.sidecar.istio.io/includeOutboundIPRanges': { on: pod },
  'traffic.sidecar.istio.io/includeOutboundPorts': { on: pod },
  'traffic.sidecar.istio.io/kubevirtInterfaces': old,
};

/** Annotations that Istio reads and its API does not list: pilot-agent merges the metrics of several ports by it. */
export const unlistedAnnotations: readonly string[] = ['prometheus.istio.io/scrape-targets'];

/** Istio's labels, from the same module. */
export const knownLabels: readonly string[] = [
  'gateway.istio.io/managed',
  'istio.io/dataplane-mode',
  'istio.io/ingress-use-waypoint',
  'istio.io/rev',
  'istio.io/tag',
  'istio.io/use-waypoint',
  'istio.io/use-waypoint-canary',
  'istio.io/use-waypoint-canary-namespace',
  'istio.io/use-waypoint-namespace',
  'istio.io/waypoint-for',
  'networking.istio.io/enable-autoallocate-ip',
  'networking.istio.io/gatewayPort',
  'operator.istio.io/component',
  'operator.istio.io/managed',
  'operator.istio.io/version',
  'security.istio.io/tlsMode',
  'service.istio.io/canonical-name',
  'service.istio.io/canonical-revision',
  'service.istio.io/workload-name',
  'sidecar.istio.io/inject',
  'topology.istio.io/cluster',
  'topology.istio.io/locality',
  'topology.istio.io/network',
  'topology.istio.io/subzone',
];
