import { status } from '@grpc/grpc-js';
import type { DescFile, DescService } from '@bufbuild/protobuf';
import { ServerReflection } from '../../../gen/grpc/reflection/v1/reflection_pb.js';
import { ServerReflection as ServerReflectionAlpha } from '../../../gen/grpc/reflection/v1alpha/reflection_pb.js';
import { DescriptorIndex, bytesOf } from './descriptors.ts';
import { implement } from '../handlers.ts';
import type { Implementation } from '../handlers.ts';
import { statusError } from '../status.ts';

/** A request of either version: they differ only in their names. */
interface Request {
  readonly host: string;
  readonly messageRequest:
    | { case: 'listServices' | 'fileByFilename' | 'fileContainingSymbol'; value: string }
    | { case: 'allExtensionNumbersOfType'; value: string }
    | { case: 'fileContainingExtension'; value: { containingType: string; extensionNumber: number } }
    | { case: undefined };
}

type Response =
  | { case: 'listServicesResponse'; value: { service: { name: string }[] } }
  | { case: 'fileDescriptorResponse'; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: 'allExtensionNumbersResponse'; value: { baseTypeName: string; extensionNumber: number[] } }
  | { case: 'errorResponse'; value: { errorCode: number; errorMessage: string } };

/**
 * Server reflection for services and for itself: grpc.reflection.v1, and the same under the name v1alpha for older tools.
 * Unknown names are answered with NOT_FOUND, and the stream goes on.
 * Source: https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
 */
export function createReflection(served: readonly DescService[]): readonly Implementation[] {
  const services = [...served, ServerReflection, ServerReflectionAlpha];
  const names = services.map(({ typeName }) => ({ name: typeName }));
  names.sort((a, b) => (a.name < b.name ? -1 : 1));
  let index: DescriptorIndex | undefined;

  const respond = ({ messageRequest }: Pick<Request, 'messageRequest'>, sent: Set<DescFile>): Response => {
    index ??= new DescriptorIndex(services.map(({ file }) => file));
    switch (messageRequest.case) {
      case 'listServices':
        return { case: 'listServicesResponse', value: { service: names } };
      case 'fileByFilename':
        return fileResponse(index.file(messageRequest.value), sent, 'file', messageRequest.value);
      case 'fileContainingSymbol':
        return fileResponse(index.fileOf(messageRequest.value), sent, 'symbol', messageRequest.value);
      case 'fileContainingExtension': {
        const { containingType, extensionNumber } = messageRequest.value;
        const file = index.fileOfExtension(containingType, extensionNumber);
        return fileResponse(file, sent, `extension ${extensionNumber} of`, containingType);
      }
      case 'allExtensionNumbersOfType': {
        const extensionNumber = index.extensionNumbers(messageRequest.value);
        if (extensionNumber === undefined) return notFound('message', messageRequest.value);
        const value = { baseTypeName: messageRequest.value, extensionNumber: [...extensionNumber] };
        return { case: 'allExtensionNumbersResponse', value };
      }
      case undefined:
        throw statusError(status.INVALID_ARGUMENT, 'message_request: missing');
    }
  };

  async function* info<R extends Request>(requests: AsyncIterable<R>) {
    const sent = new Set<DescFile>();
    for await (const request of requests) {
      yield {
        validHost: request.host,
        originalRequest: request,
        messageResponse: respond(request, sent),
      };
    }
  }
  return [
    implement(ServerReflection, { serverReflectionInfo: info }),
    implement(ServerReflectionAlpha, { serverReflectionInfo: info }),
  ];
}

/** The requested file, and the imported files that the stream has not sent yet. */
function fileResponse(file: DescFile | undefined, sent: Set<DescFile>, what: string, name: string): Response {
  if (file === undefined) return notFound(what, name);
  sent.delete(file);
  const fileDescriptorProto: Uint8Array[] = [];
  const add = (each: DescFile) => {
    if (sent.has(each)) return;
    sent.add(each);
    fileDescriptorProto.push(bytesOf(each));
    each.dependencies.forEach(add);
  };
  add(file);
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
}

function notFound(what: string, name: string): Response {
  const errorMessage = `${what} ${JSON.stringify(name)} is not known here`;
  return { case: 'errorResponse', value: { errorCode: status.NOT_FOUND, errorMessage } };
}
