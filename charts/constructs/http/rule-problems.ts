import type { DescMethod } from '@bufbuild/protobuf';
import { reservedPaths } from '../../../apps/config/reserved-paths.ts';
import type { Problem } from '../../../core/problem.ts';
import { methodName } from '../../../http-rule/problem.ts';
import { resolveRules } from '../../../http-rule/resolve.ts';

/**
 * Everything that keeps an HTTP gateway which serves these methods from starting.
 * @param where - what of a construct has that gateway: `demo/shop/edge: expose`
 */
export function ruleProblems(where: string, methods: Iterable<DescMethod>): readonly Problem[] {
  return resolveRules(methods, reservedPaths).problems.map(({ method, what, received, allowed, fix }) => ({
    where: `${where}: ${methodName(method)}`,
    what,
    ...(received === undefined ? {} : { received }),
    ...(allowed === undefined ? {} : { allowed }),
    ...(fix === undefined ? {} : { fix }),
  }));
}
