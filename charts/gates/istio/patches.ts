import type { Problem } from '../../../core/problem.ts';
import { field, list, ofKind, text, title } from '../../model/rendered.ts';
import type { RenderedMesh } from '../../model/rendered.ts';

const whole = ['ADD', 'MERGE', 'REMOVE'];
const placed = ['INSERT_BEFORE', 'INSERT_AFTER', 'INSERT_FIRST'];
const all = [...whole, ...placed, 'REPLACE'];

/**
 * What can be done to each part of Envoy's configuration
 * (https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter-Patch-Operation). Anything else Istio
 * ignores, or does not promise.
 */
const operations: Readonly<Record<string, readonly string[] | undefined>> = {
  LISTENER: whole,
  FILTER_CHAIN: whole,
  LISTENER_FILTER: all,
  NETWORK_FILTER: all,
  HTTP_FILTER: all,
  ROUTE_CONFIGURATION: ['MERGE'],
  VIRTUAL_HOST: [...whole, 'REPLACE'],
  HTTP_ROUTE: [...placed, 'MERGE'],
  CLUSTER: whole,
  EXTENSION_CONFIG: ['ADD'],
  BOOTSTRAP: ['MERGE'],
};

/** What depends on what other filters have made of the configuration. */
const relative = ['INSERT_BEFORE', 'INSERT_AFTER', 'REMOVE', 'REPLACE'];

/**
 * Patches of EnvoyFilters that do nothing, and those whose outcome depends on the order of the filters: of one priority, Istio
 * applies the older one first, and each cluster has its own ages.
 */
export function patches({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) =>
    ofKind(cluster, 'EnvoyFilter').flatMap(({ where, object }) => {
      const entries = list(object, 'spec', 'configPatches').map((entry, index) => ({
        at: `${title(object)}: spec.configPatches[${index}]`,
        applyTo: text(entry, 'applyTo') ?? '',
        operation: text(entry, 'patch', 'operation') ?? '',
      }));
      const void_ = entries.flatMap(({ at, applyTo, operation }): readonly Problem[] => {
        const allowed = operations[applyTo];
        if (allowed === undefined || allowed.includes(operation)) return [];
        const received = operation === '' ? undefined : operation;
        const what = `${at} has no effect: ${applyTo} does not support its operation`;
        return [{ where, what, received, allowed: allowed.join(', '), fix: 'correct or remove it' }];
      });
      const priority = field(object, 'spec', 'priority');
      const ordered = entries.filter(
        ({ applyTo, operation }) =>
          relative.includes(operation) && operations[applyTo]?.includes(operation) === true,
      );
      const [first] = ordered;
      if (first === undefined || (typeof priority === 'number' && priority !== 0)) return void_;
      const what = `${first.at} depends on the order of EnvoyFilters, which without a priority is the order of their creation in each cluster`;
      const fix = 'set spec.priority to a value other than 0: 10 applies it after those without a priority';
      return [...void_, { where, what, received: first.operation, fix }];
    }),
  );
}
