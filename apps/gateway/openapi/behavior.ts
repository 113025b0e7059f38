import { getOption, hasOption } from '@bufbuild/protobuf';
import type { DescField } from '@bufbuild/protobuf';
import { FieldBehavior, field_behavior } from '../../../gen/google/api/field_behavior_pb.js';

/** What `google.api.field_behavior` says of a field. Source: google/api/field_behavior.proto; https://google.aip.dev/203 */
export interface Behavior {
  /** A request without it is wrong. */
  readonly required: boolean;
  /** Only in answers: what a request has of it is ignored. */
  readonly outputOnly: boolean;
  /** Only in requests. */
  readonly inputOnly: boolean;
}

const none: Behavior = { required: false, outputOnly: false, inputOnly: false };

export function behaviorOf(field: DescField): Behavior {
  if (!hasOption(field, field_behavior)) return none;
  const all = getOption(field, field_behavior);
  return {
    required: all.includes(FieldBehavior.REQUIRED),
    outputOnly: all.includes(FieldBehavior.OUTPUT_ONLY),
    inputOnly: all.includes(FieldBehavior.INPUT_ONLY),
  };
}
