import type { DescService } from '@bufbuild/protobuf';
import { library } from '../../http-rule/testing/library.ts';
import type { Rule } from '../../http-rule/testing/library.ts';

export type { Rule };

/**
 * A service `test.Library` whose methods have the given google.api.http options, or none. Their messages have the
 * fields id, name, parent, path and rest, which are strings.
 * @param streaming - which of them stream both ways
 */
export function libraryOf(
  methods: Readonly<Record<string, Rule | undefined>>,
  streaming: readonly string[] = [],
): DescService {
  return library(methods, { streaming, message: 'Request' }).service;
}
