/**
 * A mesh as a Pulumi program, or as a part of one. docs/pulumi.md shows both.
 * @packageDocumentation
 */
export { runStack, type RunOptions } from './run-stack.ts';
export type { ClusterOutputs, MeshOutputs } from './mesh-component.ts';
export type { ProgramCluster, ProgramInputs } from './program-inputs.ts';
export { providerSettings } from './provider-settings.ts';
