import type { Problem } from '../../../core/problem.ts';

/** Stands in for what is no descriptor, so that whatever else is wrong is reported with it. */
export const noService = { kind: 'service', typeName: '', methods: [], method: {} };

/** Plain JavaScript may pass anything for a descriptor. */
export function isService(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'service';
}

/** What is wrong with what was given for the descriptors of the services that a server has. */
export function servingProblems(
  where: string,
  { service, services }: { readonly service?: unknown; readonly services?: unknown },
): readonly Problem[] {
  if (services === undefined) return descriptorProblems(`${where}: service`, service);
  const at = `${where}: services`;
  const problems =
    service === undefined
      ? []
      : [{ where: `${where}: service`, what: 'cannot be combined with services', fix: 'keep one' }];
  if (!Array.isArray(services) || services.length === 0) {
    const what = 'is not a list of descriptors of proto services';
    return [...problems, { where: at, what, received: services, allowed }];
  }
  return [
    ...problems,
    ...services.flatMap((one: unknown, index): readonly Problem[] => {
      const twice = { where: `${at}[${index}]`, what: 'listed twice', fix: 'remove one' };
      return services.indexOf(one) < index ? [twice] : descriptorProblems(`${at}[${index}]`, one);
    }),
  ];
}

const allowed = 'a service that is generated from proto/, such as CatalogService in catalog_pb.js';

export function descriptorProblems(where: string, received: unknown): readonly Problem[] {
  if (isService(received)) return [];
  return [{ where, what: 'is not the descriptor of a proto service', received, allowed }];
}
