/**
 * Fields of an access log line by Envoy's command operators
 * (https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage). A field is named as
 * Istio's default format names it, or else as the operator in lower case.
 *
 * Paths come without their query and no header is logged but those named here: at the edge either may hold a secret.
 */
const fields = {
  start_time: '%START_TIME%',
  method: '%REQ(:METHOD)%',
  // For gRPC the service and the method: /shop.catalog.v1.CatalogService/GetProduct.
  path: '%REQ_WITHOUT_QUERY(X-ENVOY-ORIGINAL-PATH?:PATH)%',
  protocol: '%PROTOCOL%',
  response_code: '%RESPONSE_CODE%',
  response_flags: '%RESPONSE_FLAGS%',
  response_code_details: '%RESPONSE_CODE_DETAILS%',
  grpc_status: '%GRPC_STATUS(SNAKE_STRING)%',
  connection_termination_details: '%CONNECTION_TERMINATION_DETAILS%',
  upstream_transport_failure_reason: '%UPSTREAM_TRANSPORT_FAILURE_REASON%',
  bytes_received: '%BYTES_RECEIVED%',
  bytes_sent: '%BYTES_SENT%',
  duration: '%DURATION%',
  upstream_service_time: '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%',
  request_id: '%REQ(X-REQUEST-ID)%',
  trace_id: '%TRACE_ID%',
  authority: '%REQ(:AUTHORITY)%',
  user_agent: '%REQ(USER-AGENT)%',
  x_forwarded_for: '%REQ(X-FORWARDED-FOR)%',
  route_name: '%ROUTE_NAME%',
  upstream_cluster: '%UPSTREAM_CLUSTER_RAW%',
  upstream_host: '%UPSTREAM_HOST%',
  upstream_request_attempt_count: '%UPSTREAM_REQUEST_ATTEMPT_COUNT%',
  upstream_peer_uri_san: '%UPSTREAM_PEER_URI_SAN%',
  downstream_peer_uri_san: '%DOWNSTREAM_PEER_URI_SAN%',
  downstream_remote_address: '%DOWNSTREAM_REMOTE_ADDRESS%',
  downstream_local_address: '%DOWNSTREAM_LOCAL_ADDRESS%',
  requested_server_name: '%REQUESTED_SERVER_NAME%',
} as const;

/** The part of meshConfig that says how proxies write access logs: a line of JSON for each request and connection. */
export const accessLogs = {
  accessLogEncoding: 'JSON',
  accessLogFormat: JSON.stringify(fields, null, 2),
} as const;
