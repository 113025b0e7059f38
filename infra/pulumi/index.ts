/**
 * A mesh as a Pulumi program. docs/pulumi.md shows one.
 * @packageDocumentation
 */
export { runStack } from './run-stack.ts';
export type { ClusterOutputs, MeshOutputs } from './mesh-component.ts';
