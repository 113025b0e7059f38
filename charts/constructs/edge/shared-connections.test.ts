import { expect, test } from '@jest/globals';
import { synthesize } from '../../synth.ts';
import { ofGateways, withShop } from '../../testing/edge.ts';
import { objectOf, problemsOf } from '../../testing/mesh.ts';
import { HttpEdge } from './http-edge.ts';
import { TrafficPolicy } from '../traffic/traffic-policy.ts';
import { besideHead, clientHead, sharedHttp2 } from './shared-connections.ts';

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
                    max_headers_count: 200,
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
            value: {
              typed_config: {
                http2_protocol_options: { ...sharedHttp2, allow_connect: true },
                common_http_protocol_options: { max_headers_count: 200 },
                max_request_headers_kb: 120,
              },
            },
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

test('a message that is wrong ends its stream, and what the gateways take of a head the proxy beside an edge takes with what they add', () => {
  expect(sharedHttp2.override_stream_error_on_invalid_http_message).toBe(true);
  expect(besideHead.headers).toBeGreaterThan(clientHead.headers + 50);
  expect(besideHead.kib).toBeGreaterThan(clientHead.kib + 32);
});

test('calls on a connection to a service of an edge are so few that no client can have it cut', () => {
  withShop(({ mesh, shop, catalog, orders, inventory }) => {
    new TrafficPolicy(catalog, 'traffic', { connections: { maxRequestsPerConnection: 250 } });
    new TrafficPolicy(orders, 'traffic', { connections: { maxRequestsPerConnection: 249 } });
    new TrafficPolicy(inventory, 'traffic', { connections: { maxRequestsPerConnection: 1_000 } });
    new HttpEdge(shop, 'edge', { expose: [catalog, orders] });
    expect(problemsOf(mesh)).toEqual([
      'demo/shop/catalog/traffic: connections.maxRequestsPerConnection: is so many that one client of demo/shop/edge can have ' +
        'the connections of others cut, by calls that it takes back; received 250; ' +
        'allowed up to 249 for a service that an HttpEdge exposes; fix: take fewer, or leave it out for 200',
    ]);
  });
});
