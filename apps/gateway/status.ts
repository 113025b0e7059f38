import { status } from '@grpc/grpc-js';
import { fromBinary, toJson } from '@bufbuild/protobuf';
import type { JsonValue, Registry } from '@bufbuild/protobuf';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { StatusError } from '../runtime/status.ts';

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

/** The details in the trailer `grpc-status-details-bin`; those of a type the registry lacks have no JSON form. */
function detailsOf(error: StatusError, registry: Registry): JsonValue[] {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  if (!(bytes instanceof Uint8Array)) return [];
  try {
    return readDetails(bytes).flatMap((detail) => {
      const any = fromBinary(AnySchema, detail);
      const known = registry.getMessage(any.typeUrl.slice(any.typeUrl.lastIndexOf('/') + 1));
      return known === undefined ? [] : [toJson(AnySchema, any, { registry })];
    });
  } catch {
    return []; // malformed details must not hide the error itself
  }
}

/** Field 3 of google.rpc.Status. */
function readDetails(bytes: Uint8Array): Uint8Array[] {
  const reader = new BinaryReader(bytes);
  const details: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 3) details.push(reader.bytes());
    else reader.skip(wireType);
  }
  return details;
}
