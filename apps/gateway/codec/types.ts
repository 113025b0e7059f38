import { createRegistry } from '@bufbuild/protobuf';
import type { Registry } from '@bufbuild/protobuf';
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

/** The given types, and those that any google.protobuf.Any may hold: the well-known ones and google.rpc's details. */
export function withWellKnown(registry: Registry): Registry {
  const known = extended.get(registry);
  if (known !== undefined) return known;
  const made = createRegistry(registry, ...wellKnown);
  extended.set(registry, made);
  return made;
}
