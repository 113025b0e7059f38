import { expect, test } from '@jest/globals';
import { synthesize } from '../../synth.ts';
import { ofGateways, withShop } from '../../testing/edge.ts';
import { objectOf } from '../../testing/mesh.ts';
import { HttpEdge } from './http-edge.ts';
import { sharedHttp2 } from './shared-connections.ts';

const upstreamOptions = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

test('the ingress gateways keep HTTP/2 connections to an edge, as its DestinationRule says, and with room for every stream', () => {
  withShop(({ mesh, shop, catalog }) => {
    new HttpEdge(shop, 'edge', { expose: [catalog] });
    const rule = objectOf(synthesize(mesh), 'west', 'DestinationRule', 'edge') as unknown as {
      spec: { trafficPolicy: { connectionPool: { http: Record<string, unknown> } } };
    };
    const pool = rule.spec.trafficPolicy.connectionPool.http;
    expect(pool).toEqual({
      h2UpgradePolicy: 'UPGRADE',
      idleTimeout: '10s',
      maxRequestsPerConnection: 200,
    });
    expect(ofGateways(mesh, 'EnvoyFilter', 'edge.shop.connections')).toMatchObject({
      workloadSelector: { labels: { istio: 'ingressgateway' } },
      configPatches: [
        {
          applyTo: 'CLUSTER',
          match: { cluster: { service: 'edge.shop.svc.cluster.local', portNumber: 8080 } },
          patch: {
            value: {
              typed_extension_protocol_options: {
                [upstreamOptions]: {
                  common_http_protocol_options: {
                    idle_timeout: pool['idleTimeout'],
                    max_requests_per_connection: pool['maxRequestsPerConnection'],
                  },
                  explicit_http_config: { http2_protocol_options: sharedHttp2 },
                },
              },
            },
          },
        },
      ],
    });
  });
});

test('the proxies beside an edge take WebSockets over HTTP/2, and as much of every stream as the gateways send', () => {
  withShop(({ mesh, shop, catalog }) => {
    new HttpEdge(shop, 'edge', { expose: [catalog] });
    expect(ofGateways(mesh, 'EnvoyFilter', 'edge.connections')).toMatchObject({
      workloadSelector: { labels: { 'app.kubernetes.io/name': 'edge' } },
      configPatches: [
        {
          applyTo: 'NETWORK_FILTER',
          match: { context: 'SIDECAR_INBOUND', listener: { portNumber: 8080 } },
          patch: {
            value: { typed_config: { http2_protocol_options: { ...sharedHttp2, allow_connect: true } } },
          },
        },
      ],
    });
  });
});

test('the streams of a connection cannot fill it: who reads nothing holds up nobody else', () => {
  const { max_concurrent_streams: streams, initial_stream_window_size: each } = sharedHttp2;
  expect(sharedHttp2.initial_connection_window_size).toBeGreaterThanOrEqual(streams * each);
});
