import { status } from '@grpc/grpc-js';
import { fromBinary, toJson } from '@bufbuild/protobuf';
import type { JsonValue, Registry } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { StatusSchema } from '../../../gen/google/rpc/status_pb.js';
import { StatusError } from '../../runtime/status.ts';
import { namesInside } from './guard/addresses.ts';
import { withWellKnown } from '../codec/types.ts';

/** Source: google/rpc/code.proto, "HTTP Mapping". */
const httpCodes: Readonly<Partial<Record<status, number>>> = {
  [status.OK]: 200,
  [status.CANCELLED]: 499,
  [status.UNKNOWN]: 500,
  [status.INVALID_ARGUMENT]: 400,
  [status.DEADLINE_EXCEEDED]: 504,
  [status.NOT_FOUND]: 404,
  [status.ALREADY_EXISTS]: 409,
  [status.PERMISSION_DENIED]: 403,
  [status.RESOURCE_EXHAUSTED]: 429,
  [status.FAILED_PRECONDITION]: 400,
  [status.ABORTED]: 409,
  [status.OUT_OF_RANGE]: 400,
  [status.UNIMPLEMENTED]: 501,
  [status.INTERNAL]: 500,
  [status.UNAVAILABLE]: 503,
  [status.DATA_LOSS]: 500,
  [status.UNAUTHENTICATED]: 401,
};

/** A failure of HTTP itself: its HTTP status is not the one its code stands for. */
export class HttpError extends StatusError {
  readonly httpStatus: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    httpStatus: number,
    code: status,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(code, message);
    this.httpStatus = httpStatus;
    this.headers = headers;
  }
}

/** The HTTP status of an error. */
export function httpStatusOf(error: StatusError): number {
  return error instanceof HttpError ? error.httpStatus : (httpCodes[error.code] ?? 500);
}

/** An error as JSON of a google.rpc.Status. */
export function statusJson(error: StatusError, registry: Registry): string {
  return JSON.stringify({ code: error.code, message: error.message, details: detailsOf(error, registry) });
}

/**
 * The details in the trailer `grpc-status-details-bin`; those of a type that is not known have no JSON form, and those that
 * name an address inside are nobody's business outside.
 */
function detailsOf(error: StatusError, registry: Registry): JsonValue[] {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  if (!(bytes instanceof Uint8Array)) return [];
  const types = withWellKnown(registry);
  try {
    return fromBinary(StatusSchema, bytes).details.flatMap((any) => {
      const known = types.getMessage(any.typeUrl.slice(any.typeUrl.lastIndexOf('/') + 1));
      if (known === undefined) return [];
      const json = toJson(AnySchema, any, { registry: types });
      return namesInside(JSON.stringify(json)) ? [] : [json];
    });
  } catch {
    return []; // malformed details must not hide the error itself
  }
}
