import { status } from '@grpc/grpc-js';
import { BadRequestSchema } from '../../../gen/google/rpc/error_details_pb.js';
import { detail, statusError } from '../../runtime/status.ts';
import type { StatusError } from '../../runtime/status.ts';

/**
 * A request that does not fit its method: INVALID_ARGUMENT with a google.rpc.BadRequest.
 * @param where - for people, such as `query parameter "page_size"`
 * @param field - JSON path of the field in the request; empty for the request as a whole
 */
export function invalid(where: string, field: string, description: string): StatusError {
  const violation = detail(BadRequestSchema, { fieldViolations: [{ field, description }] });
  return statusError(status.INVALID_ARGUMENT, `${where}: ${description}`, [violation]);
}

/** `authors[1].name`, of keys and indices. */
export function jsonPath(path: readonly (string | number)[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part.slice(0, 100)}`))
    .join('')
    .replace(/^\./, '');
}
