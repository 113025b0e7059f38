import type { DescMethod, DescService } from '@bufbuild/protobuf';

/** What the variable OPENAPI_METHODS says: which methods `/openapi.json` and `/docs` tell of. */
export interface ReadDescribed {
  /** @default - all */
  readonly described: ReadonlySet<DescMethod> | undefined;
  /** A line for every method that none of the services has. */
  readonly problems: readonly string[];
}

/**
 * Reads the variable OPENAPI_METHODS.
 * @param names - `pkg.Service/Method`; none for all
 * @param served - the services of UPSTREAMS
 */
export function readDescribed(names: readonly string[], served: Iterable<DescService>): ReadDescribed {
  if (names.length === 0) return { described: undefined, problems: [] };
  const methods = new Map<string, DescMethod>(
    [...served].flatMap((service) =>
      service.methods.map((method) => [`${service.typeName}/${method.name}`, method] as const),
    ),
  );
  const allowed = [...methods.keys()].join(', ');
  return {
    described: new Set(names.flatMap((name) => methods.get(name) ?? [])),
    problems: names
      .filter((name) => !methods.has(name))
      .map((name) => `OPENAPI_METHODS: ${JSON.stringify(name)}: no such method; allowed ${allowed}`),
  };
}
