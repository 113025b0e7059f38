/**
 * A mesh within a Pulumi program of one's own. docs/pulumi.md shows one.
 * @packageDocumentation
 */
export type { ClusterOutputs, MeshOutputs } from './mesh-component.ts';
export { runProgram } from './mesh-program.ts';
