import { createRegistry } from '@bufbuild/protobuf';
import type { DescMessage, Registry } from '@bufbuild/protobuf';
import {
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
} from '@bufbuild/protobuf/wkt';
import { file_google_rpc_error_details } from '../../../gen/google/rpc/error_details_pb.js';
import { delimitedFields } from '../../../http-rule/fields.ts';
import { withImports } from '../../runtime/server/descriptors.ts';

const wellKnown = [
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
  file_google_rpc_error_details,
];

const extended = new WeakMap<Registry, Registry>();

/**
 * The given types, those of their files and of all that these import, and those that any google.protobuf.Any may hold: the
 * well-known ones and google.rpc's details. A service may put a message into an Any, or into an error's details, that no
 * method of its own names.
 */
export function withWellKnown(registry: Registry): Registry {
  const known = extended.get(registry);
  if (known !== undefined) return known;
  const files = withImports([...registry].map(({ file }) => file));
  const made = createRegistry(...files, registry, ...wellKnown);
  extended.set(registry, made);
  return made;
}

const delimited = new WeakMap<DescMessage, boolean>();

/** Whether a message has fields in delimited encoding (groups), or messages that have, for which there is no form here. */
export function hasDelimited(message: DescMessage): boolean {
  const known = delimited.get(message);
  if (known !== undefined) return known;
  const has = delimitedFields([message]).length > 0;
  delimited.set(message, has);
  return has;
}
