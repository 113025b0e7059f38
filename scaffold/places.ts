import type { ServiceNames } from './names.ts';

/** How a project has what its services are written with: as sources beside them, or as installed packages. */
export type Runtime = 'source' | 'package';

/** The proto's path in the project. */
export function protoFile({ protoPackage, snake }: ServiceNames): string {
  return `proto/${protoPackage}/${snake}/v1/${snake}.proto`;
}

/**
 * Module of the generated code.
 * @param up - way from the importing file's folder to the root: `.` or `../..`
 */
export function generatedModule({ protoPackage, snake }: ServiceNames, up: string): string {
  return `${up}/gen/${protoPackage}/${snake}/v1/${snake}_pb.js`;
}
