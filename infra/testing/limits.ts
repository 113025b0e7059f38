import type { Limits } from '../plan/limits.ts';

/** A stand-in's istiod takes a remote secret at once. */
export const quickLimits = { remoteSecretTaken: 0 } satisfies Partial<Limits>;
