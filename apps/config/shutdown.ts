/**
 * What a stopping pod needs besides the time for its calls in flight. First it still takes calls, until callers know
 * that its endpoint is gone (in the mesh up to 3 s); last its proxy, which ends after the app, drains what is left
 * (Istio's terminationDrainDuration, 5 s unless set). Seconds.
 */
export const secondsAround = { endpointRemoval: 5, proxy: 5 } as const;
