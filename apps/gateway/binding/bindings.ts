import type { DescService } from '@bufbuild/protobuf';
import type { Binding } from '../../../http-rule/binding.ts';
import { ruleProblemText } from '../../../http-rule/problem.ts';
import { resolveRules } from '../../../http-rule/resolve.ts';
import { reservedPaths } from '../../config/reserved-paths.ts';
import { Router } from './router.ts';

/**
 * All google.api.http bindings of the given services, additional ones included.
 * @throws Error with a line for everything that is wrong with them
 */
export function bindingsOf(services: Iterable<DescService>): readonly Binding[] {
  const methods = [...services].flatMap((service) => service.methods);
  const { bindings, problems } = resolveRules(methods, reservedPaths);
  if (problems.length > 0) throw new Error(problems.map(ruleProblemText).join('\n'));
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
