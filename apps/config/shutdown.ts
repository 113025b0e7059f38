/**
 * What a stopping pod needs besides the time for its calls in flight, in seconds. First it still accepts calls, until
 * callers know that its endpoint is gone: within 3 s in the mesh, and after more than 5 s where clusters were short of
 * CPU (ADR 27). Then its proxy, which ends after the app, drains what is left (Istio's terminationDrainDuration,
 * 5 s unless set).
 */
export const secondsAround = { endpointRemoval: 10, proxy: 5 } as const;
