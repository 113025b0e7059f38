/** Loopback ports of a pod that serve the metrics of its app, and of the HTTP gateway beside it. */
export const metricsPorts = { app: 9464, httpGateway: 9465 } as const;
