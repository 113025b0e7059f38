import type { DescMethod } from '@bufbuild/protobuf';

/** One mistake in a google.api.http option. */
export interface RuleProblem {
  /** Whose option it is. */
  readonly method: DescMethod;
  /** The path template of the binding that is wrong, as it stands in the proto; undefined where there is none. */
  readonly template: string | undefined;
  /** Where in the template, in characters from its beginning; undefined where it is not the template that is wrong. */
  readonly offset?: number;
  /** What is wrong, lower case, no full stop. */
  readonly what: string;
  /** The text that is wrong, if there is one. */
  readonly received?: string;
  /** What would have been accepted. */
  readonly allowed?: string;
  /** What to do. */
  readonly fix?: string;
}

/** `shop.catalog.v1.CatalogService/GetProduct`, as gRPC's own texts name a method. */
export function methodName({ parent, name }: DescMethod): string {
  return `${parent.typeName}/${name}`;
}

/** Renders a problem as one line: `pkg.Service/Method: what; received X; allowed Y; fix: Z`. */
export function ruleProblemText({ method, what, received, allowed, fix }: RuleProblem): string {
  const parts = [`${methodName(method)}: ${what}`];
  if (received !== undefined) parts.push(`received ${JSON.stringify(received)}`);
  if (allowed !== undefined) parts.push(`allowed ${allowed}`);
  if (fix !== undefined) parts.push(`fix: ${fix}`);
  return parts.join('; ');
}
