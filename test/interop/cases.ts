/**
 * The cases of gRPC's interoperability tests that need no credentials, no compression and no caches.
 * Source: https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md
 */
export const interopCases = [
  'empty_unary',
  'large_unary',
  'client_streaming',
  'server_streaming',
  'ping_pong',
  'empty_stream',
  'cancel_after_begin',
  'cancel_after_first_response',
  'timeout_on_sleeping_server',
  'custom_metadata',
  'status_code_and_message',
  'special_status_message',
  'unimplemented_method',
  'unimplemented_service',
] as const;
