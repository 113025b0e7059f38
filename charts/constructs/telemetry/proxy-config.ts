import { createHash } from 'node:crypto';

/**
 * Statistics that proxies keep beside those Istio needs itself, as regular expressions over Envoy's names. Envoy would
 * make some hundred for each host that a proxy knows; these are what the dashboard shows, for the hosts a workload
 * calls and, of gRPC, for the methods it may call (method-stats.ts).
 */
const keptStatistics = [
  String.raw`cluster\..+\.grpc\..+`,
  String.raw`cluster\.outbound.+\.(` +
    [
      'membership_healthy',
      'membership_total',
      String.raw`outlier_detection\.ejections_(active|enforced_total)`,
      'upstream_cx_(active|connect_fail|overflow|rx_bytes_total|tx_bytes_total)',
      'upstream_rq_(pending_overflow|retry|retry_overflow|timeout)',
    ].join('|') +
    ')',
];

/**
 * What every proxy of the mesh starts with
 * (https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#ProxyConfig).
 */
export const proxyConfig = {
  // For nodes whose Kubernetes is too old for native sidecars, which start first by themselves.
  holdApplicationUntilProxyStarts: true,
  // The proxy's agent takes the roots it trusts from istiod, so that another root needs no restart (docs/adr/0011).
  proxyMetadata: { PROXY_CONFIG_XDS_AGENT: 'true' },
  proxyStatsMatcher: { inclusionRegexps: keptStatistics },
} as const;

/** A proxy reads its configuration when it starts: with this on the pods, a change of it makes new ones. */
export const proxyConfigChecksum: Readonly<Record<string, string>> = {
  'checksum/proxy-config': createHash('sha256')
    .update(JSON.stringify(proxyConfig))
    .digest('hex')
    .slice(0, 12),
};
