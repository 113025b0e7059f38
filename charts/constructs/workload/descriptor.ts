import type { Problem } from '../../../core/problem.ts';

/** Stands in for what is no descriptor, so that whatever else is wrong is reported with it. */
export const noService = { kind: 'service', typeName: '', methods: [], method: {} };

/** Plain JavaScript may pass anything for a descriptor. */
export function isService(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'service';
}

/** What is wrong with what was given for the descriptor of a service. */
export function descriptorProblems(where: string, received: unknown): readonly Problem[] {
  if (isService(received)) return [];
  const allowed = 'a service that is generated from proto/, such as CatalogService in catalog_pb.js';
  const what = 'is not the descriptor of a proto service';
  return [{ where: `${where}: service`, what, received, allowed }];
}
