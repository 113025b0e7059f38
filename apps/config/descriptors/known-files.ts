import type { DescFile } from '@bufbuild/protobuf';
import {
  file_google_protobuf_any,
  file_google_protobuf_api,
  file_google_protobuf_cpp_features,
  file_google_protobuf_descriptor,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_go_features,
  file_google_protobuf_java_features,
  file_google_protobuf_source_context,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_type,
  file_google_protobuf_wrappers,
} from '@bufbuild/protobuf/wkt';
import { file_buf_validate_validate } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { file_google_api_annotations } from '../../../gen/google/api/annotations_pb.js';
import { file_google_api_field_behavior } from '../../../gen/google/api/field_behavior_pb.js';
import { file_google_api_http } from '../../../gen/google/api/http_pb.js';
import { file_google_rpc_error_details } from '../../../gen/google/rpc/error_details_pb.js';
import { file_google_rpc_status } from '../../../gen/google/rpc/status_pb.js';

/**
 * The files that every HTTP gateway has, by their path in imports: those whose options and types it gives a meaning to. What is
 * rendered leaves them out, and a gateway takes its own where a set has them.
 */
export const knownFiles: ReadonlyMap<string, DescFile> = new Map(
  [
    file_buf_validate_validate,
    file_google_api_annotations,
    file_google_api_field_behavior,
    file_google_api_http,
    file_google_protobuf_any,
    file_google_protobuf_api,
    file_google_protobuf_cpp_features,
    file_google_protobuf_descriptor,
    file_google_protobuf_duration,
    file_google_protobuf_empty,
    file_google_protobuf_field_mask,
    file_google_protobuf_go_features,
    file_google_protobuf_java_features,
    file_google_protobuf_source_context,
    file_google_protobuf_struct,
    file_google_protobuf_timestamp,
    file_google_protobuf_type,
    file_google_protobuf_wrappers,
    file_google_rpc_error_details,
    file_google_rpc_status,
  ].map((file) => [file.proto.name, file]),
);
