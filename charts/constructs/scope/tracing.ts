/** Where spans go, and how many. */
export interface Tracing {
  /** An OpenTelemetry collector outside the mesh that takes OTLP over gRPC in plaintext, such as one in the cluster. */
  readonly collector: {
    /** Its DNS name, in full and the same in each cluster: `otel-collector.observability.svc.cluster.local`. */
    readonly host: string;
    /** @default 4317 */
    readonly port?: number;
  };
  /** Of the requests that come without a trace, how many begin one; 0 to 100. @default 1 */
  readonly samplingPercent?: number;
}

/** Sampling of one workload. */
export interface WorkloadTracing {
  /**
   * Of the requests that come to this workload, or leave it, without a trace: how many begin one; 0 to 100. What other
   * proxies of the mesh have begun goes on as they decided, whatever this says, so that no trace has holes.
   */
  readonly samplingPercent: number;
}
