import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { EnvError } from '../runtime/env.ts';

/**
 * Reads the variable OPENAPI_METHODS: which methods `/openapi.json` and `/docs` tell of.
 * @param names - `pkg.Service/Method`; none for all
 * @param served - the services of UPSTREAMS
 * @throws EnvError naming every method that none of them has
 */
export function parseDescribed(
  names: readonly string[],
  served: Iterable<DescService>,
): ReadonlySet<DescMethod> | undefined {
  if (names.length === 0) return undefined;
  const methods = new Map<string, DescMethod>(
    [...served].flatMap((service) =>
      service.methods.map((method) => [`${service.typeName}/${method.name}`, method] as const),
    ),
  );
  const unknown = names.filter((name) => !methods.has(name));
  if (unknown.length > 0) {
    const allowed = [...methods.keys()].join(', ');
    throw new EnvError(
      unknown.map((name) => `OPENAPI_METHODS: ${JSON.stringify(name)}: no such method; allowed ${allowed}`),
    );
  }
  return new Set(names.flatMap((name) => methods.get(name) ?? []));
}
