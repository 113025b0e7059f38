import { status } from '@grpc/grpc-js';
import { create, hasOption } from '@bufbuild/protobuf';
import type { DescMessage, DescMethod, Message, Registry } from '@bufbuild/protobuf';
import { pathToString } from '@bufbuild/protobuf/reflect';
import { CompilationError, createValidator } from '@bufbuild/protovalidate';
import type { Violation } from '@bufbuild/protovalidate';
import {
  field as fieldRules,
  message as messageRules,
  oneof as oneofRules,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { BadRequestSchema } from '../../../gen/google/rpc/error_details_pb.js';
import type { Interceptor } from './interceptors.ts';
import { detail, statusError } from '../status.ts';

/** Limits of the reported violations of one request: trailers have to stay below 8 KiB. */
const most = { violations: 16, characters: 200 };

/**
 * Rejects requests that violate the constraints of their proto (`buf.validate`) with INVALID_ARGUMENT and a
 * google.rpc.BadRequest: for each violation the field's path, what is allowed, and the rule as the reason
 * (`string.min_len` becomes `STRING_MIN_LEN`). Each message of a stream is checked when it arrives. Methods whose request has
 * no constraints cost nothing.
 * Source: https://protovalidate.com
 * @param registry - contains your own predefined rules that the constraints use
 * @throws Error at the start of the server when constraints cannot be compiled
 */
export function validateRequests(registry?: Registry): Interceptor {
  const validator = createValidator(registry === undefined ? {} : { registry });
  return (method) => {
    const { input } = method;
    if (!isConstrained(input)) return undefined;
    const compiled = validator.validate(input, create(input));
    if (compiled.error instanceof CompilationError) {
      throw new Error(`${input.typeName}: its constraints cannot be compiled: ${compiled.error.message}`);
    }
    const check = (message: Message, where: string) => {
      const { kind, error, violations } = validator.validate(input, message);
      if (kind === 'invalid') throw refusal(violations, where);
      if (kind === 'error') throw error;
    };
    if (!isStreaming(method))
      return () => ({
        request: (message) => {
          check(message, '');
        },
      });
    return () => {
      let received = 0;
      return {
        request: (message) => {
          check(message, `request ${++received}: `);
        },
      };
    };
  };
}

function refusal(violations: readonly Violation[], where: string) {
  const fieldViolations = violations.slice(0, most.violations).map((violation) => ({
    field: shortened(pathToString(violation.field)),
    description: shortened(violation.message),
    reason: violation.ruleId.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_'),
  }));
  const lines = fieldViolations.map(({ field, description }) =>
    field === '' ? description : `${field}: ${description}`,
  );
  const left = violations.length - lines.length;
  if (left > 0) lines.push(`and ${left} more`);
  return statusError(status.INVALID_ARGUMENT, where + lines.join('; '), [
    detail(BadRequestSchema, { fieldViolations }),
  ]);
}

function shortened(text: string): string {
  return text.length <= most.characters ? text : `${text.slice(0, most.characters - 1)}…`;
}

function isStreaming(method: DescMethod): boolean {
  return method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming';
}

/** Whether a message, or one it may contain, has constraints. */
function isConstrained(message: DescMessage, seen = new Set<DescMessage>()): boolean {
  if (seen.has(message)) return false;
  seen.add(message);
  if (hasOption(message, messageRules) || message.oneofs.some((oneof) => hasOption(oneof, oneofRules)))
    return true;
  return message.fields.some((field) => {
    if (hasOption(field, fieldRules)) return true;
    return field.message !== undefined && isConstrained(field.message, seen);
  });
}
