/**
 * What a program's own provider has to be given: `new kubernetes.Provider('east', { kubeconfig, ...providerSettings })`. The
 * provider then uses server-side apply and takes over fields of other managers and existing objects, as `up` does: namespaces that were
 * handed over are adopted, and objects that a lost state does not contain are adopted again. It changes Secrets and ConfigMaps in place:
 * otherwise a change of content would be a replacement, and a remote secret or a CA would be missing for a moment.
 */
export const providerSettings = {
  enableServerSideApply: true,
  enablePatchForce: true,
  upsertExistingObjects: true,
  enableSecretMutable: true,
  enableConfigMapMutable: true,
} as const;
