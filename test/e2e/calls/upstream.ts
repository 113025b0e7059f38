import { sharedHttp2 } from '../../../charts/constructs/edge/shared-connections.ts';
import { cluster } from './envoy.ts';

/** A cluster as istiod makes it of a DestinationRule for gRPC: five errors of a gateway in a row take a pod out of use. */
export function grpcUpstream(name: string, port: number) {
  const options = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  return {
    ...cluster(name, port),
    typed_extension_protocol_options: {
      [options]: {
        '@type': `type.googleapis.com/${options}`,
        explicit_http_config: { http2_protocol_options: sharedHttp2 },
      },
    },
    common_lb_config: { healthy_panic_threshold: { value: 0 } },
    outlier_detection: {
      consecutive_gateway_failure: 5,
      enforcing_consecutive_gateway_failure: 100,
      consecutive_5xx: 0,
      enforcing_consecutive_5xx: 0,
      enforcing_success_rate: 0,
      max_ejection_percent: 100,
    },
  };
}
