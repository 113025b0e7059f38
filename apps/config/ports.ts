/** Ports of a pod's loopback where the metrics of its app are, and those of the HTTP gateway beside it. */
export const metricsPorts = { app: 9464, httpGateway: 9465 } as const;
