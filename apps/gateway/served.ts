import type { DescMethod, DescService, Registry } from '@bufbuild/protobuf';
import type { Binding } from '../../http-rule/binding.ts';
import { EnvError } from '../runtime/env.ts';
import { readBindings } from './binding/bindings.ts';
import { readDescribed } from './described.ts';
import { readDescriptors } from './descriptors/read.ts';
import type { CommentTexts } from './openapi/comments.ts';
import { readUpstreams } from './transport/upstreams.ts';

/** The variables that say what a gateway serves. */
export interface ServedEnv {
  /** Path of a file with a google.protobuf.FileDescriptorSet. */
  readonly DESCRIPTORS: string;
  readonly UPSTREAMS: string;
  readonly OPENAPI_METHODS: readonly string[];
}

/** What a gateway serves. */
export interface Served {
  readonly addresses: ReadonlyMap<DescService, string>;
  readonly bindings: readonly Binding[];
  /** The types that may stand in a google.protobuf.Any. */
  readonly registry: Registry;
  /** Comments of the protos, by fully qualified name. */
  readonly comments: CommentTexts;
  /** What is described. @default - everything */
  readonly described: ReadonlySet<DescMethod> | undefined;
}

/**
 * Reads what a gateway serves.
 * @param found - problems with other variables, to be told together
 * @throws EnvError naming everything that is wrong
 */
export function readServed(env: ServedEnv, found: readonly string[]): Served {
  const read = readDescriptors(env.DESCRIPTORS);
  if ('problems' in read) {
    const { problems } = readUpstreams(env.UPSTREAMS, undefined);
    throw new EnvError([...found, ...ofDescriptors(read.problems), ...problems]);
  }
  const { services, registry, comments } = read;
  const { addresses, problems } = readUpstreams(env.UPSTREAMS, services);
  // A method of a service whose entry is wrong is not one that does not exist.
  const served = problems.length > 0 ? services.values() : addresses.keys();
  const { described, problems: unknown } = readDescribed(env.OPENAPI_METHODS, served);
  const { bindings, problems: rules } = readBindings(addresses.keys());
  const all = [...found, ...problems, ...unknown, ...ofDescriptors(rules)];
  if (all.length > 0) throw new EnvError(all);
  return { addresses, bindings, registry, comments, described };
}

function ofDescriptors(problems: readonly string[]): readonly string[] {
  return problems.map((problem) => `DESCRIPTORS: ${problem}`);
}
