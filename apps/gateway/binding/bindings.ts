import type { DescService } from '@bufbuild/protobuf';
import type { Binding } from '../../../http-rule/binding.ts';
import { ruleProblemText } from '../../../http-rule/problem.ts';
import { resolveRules } from '../../../http-rule/resolve.ts';
import { reservedPaths } from '../../config/reserved-paths.ts';
import { Router } from './router.ts';

/** All google.api.http bindings of the given services, additional ones included, and a line for everything that is wrong with them. */
export function readBindings(services: Iterable<DescService>): {
  readonly bindings: readonly Binding[];
  readonly problems: readonly string[];
} {
  const methods = [...services].flatMap((service) => service.methods);
  const { bindings, problems } = resolveRules(methods, reservedPaths);
  return { bindings, problems: problems.map(ruleProblemText) };
}

/**
 * The same where nothing is wrong.
 * @throws Error with a line for everything that is
 */
export function bindingsOf(services: Iterable<DescService>): readonly Binding[] {
  const { bindings, problems } = readBindings(services);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return bindings;
}

/**
 * Makes the router of bindings.
 * @throws Error when one is equal to another
 */
export function routerOf(bindings: Iterable<Binding>): Router<Binding> {
  const router = new Router<Binding>();
  for (const binding of bindings) router.add(binding.httpMethod, binding.template, binding);
  return router;
}
