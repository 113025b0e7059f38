import { describe, expect, test } from '@jest/globals';
import { destinationRule, gatewayOutliers, grpcOutliers, requestsPerConnection } from './destination-rule.ts';
import type { TrafficPolicyProps } from './props.ts';

const cluster = (name: string, region: string, zone = `${region}-1`) => ({
  name,
  network: `net-${name}`,
  region,
  zone,
});
const clusters = [cluster('a', 'r1'), cluster('b', 'r2'), cluster('c', 'r2', 'r2-2'), cluster('d', 'r3')];
const host = 'x.shop.svc.cluster.local';

const rule = (placement: readonly string[], policy?: TrafficPolicyProps<string, string>) =>
  destinationRule({ host, placement, clusters, outliers: grpcOutliers, http: false, policy }).trafficPolicy;
const locality = (placement: readonly string[], policy?: TrafficPolicyProps<string, string>) =>
  rule(placement, policy)?.loadBalancer?.localityLbSetting;

test('each region fails over to the next one the service runs in, and every endpoint may be ejected', () => {
  const service = { host, placement: ['d', 'b', 'a', 'c'], clusters, outliers: grpcOutliers, http: false };
  expect(destinationRule(service)).toEqual({
    host: 'x.shop.svc.cluster.local',
    trafficPolicy: {
      connectionPool: { http: { maxRequestsPerConnection: 200 } },
      loadBalancer: {
        localityLbSetting: {
          enabled: true,
          failover: [
            { from: 'r1', to: 'r2' },
            { from: 'r2', to: 'r3' },
            { from: 'r3', to: 'r1' },
          ],
        },
      },
      outlierDetection: {
        consecutiveGatewayErrors: 5,
        consecutive5xxErrors: 0,
        interval: '10s',
        baseEjectionTime: '30s',
        maxEjectionPercent: 100,
      },
    },
  });
});

test('in one region alone no region fails over to itself, but its zones to one another: every endpoint may be ejected', () => {
  expect(locality(['b', 'c'])).toEqual({ enabled: true });
  expect(rule(['b', 'c'])?.outlierDetection?.maxEjectionPercent).toBe(100);
});

test('in one zone alone half the endpoints always stay', () => {
  expect(locality(['b'])).toEqual({ enabled: true });
  expect(rule(['b'])?.outlierDetection?.maxEjectionPercent).toBe(50);
});

test('a gateway is judged by whether it is reached, not by the answers it passes on, and the last one that is left is not given up', () => {
  expect(gatewayOutliers).toEqual({
    splitExternalLocalOriginErrors: true,
    consecutiveLocalOriginFailures: 5,
    consecutive5xxErrors: 0,
    minHealthPercent: 1,
  });
});

test('what the policy says of failover goes before the ring, also for clusters the service does not run in', () => {
  expect(locality(['a', 'b'], { failover: { a: ['b'], d: ['b', 'a'] } })?.failover).toEqual([
    { from: 'r1', to: 'r2' },
    { from: 'r2', to: 'r1' },
    { from: 'r3', to: 'r2' },
  ]);
});

test('the clusters of the own region, which always come first, do not say which region is next', () => {
  const failover = { b: ['c', 'd', 'a'], c: ['b'] };
  expect(locality(['a', 'b', 'c', 'd'], { failover })?.failover).toEqual([
    { from: 'r1', to: 'r2' },
    { from: 'r2', to: 'r3' },
    { from: 'r3', to: 'r1' },
  ]);
});

describe('a distribution', () => {
  test('takes the place of failover; clusters that share a region are told apart by zone', () => {
    const distribution = {
      a: { a: 80, b: 20, d: 0 },
      b: { b: 50, c: 50 },
      c: { c: 90, a: 10 },
      d: { d: 60, a: 40 },
    };
    expect(locality(['a', 'b', 'c', 'd'], { distribution })).toEqual({
      enabled: true,
      distribute: [
        { from: 'r1', to: { r1: 80, 'r2/r2-1': 20 } },
        { from: 'r2/r2-1', to: { 'r2/r2-1': 50, 'r2/r2-2': 50 } },
        { from: 'r2/r2-2', to: { 'r2/r2-2': 90, r1: 10 } },
        { from: 'r3', to: { r3: 60, r1: 40 } },
      ],
    });
    expect(rule(['a', 'd'], { distribution })?.outlierDetection?.maxEjectionPercent).toBe(100);
  });

  test('that leaves some callers one cluster only never takes all of its pods', () => {
    const distribution = { a: { a: 100 }, b: { a: 50, d: 50 }, c: { a: 50, d: 50 }, d: { a: 50, d: 50 } };
    expect(rule(['a', 'd'], { distribution })?.outlierDetection?.maxEjectionPercent).toBe(50);
  });
});

test('callers close resting connections for HTTP/1.1 before the server does, and keep as long as the policy says', () => {
  const service = { host, placement: ['a'], clusters, outliers: grpcOutliers, http: true };
  const pool = (connections = {}) =>
    destinationRule({ ...service, policy: { connections } }).trafficPolicy?.connectionPool?.http;
  expect(pool()).toEqual({ maxRequestsPerConnection: 200, idleTimeout: '10s' });
  expect(pool({ idleTimeoutSeconds: 15 })?.idleTimeout).toBe('15s');
});

test('callers that share connections speak HTTP/2, and no client’s requests that are taken back have one cut', () => {
  const service = { host, placement: ['a'], clusters, outliers: gatewayOutliers, http: true, shared: true };
  expect(destinationRule(service).trafficPolicy?.connectionPool?.http).toEqual({
    h2UpgradePolicy: 'UPGRADE',
    maxRequestsPerConnection: 200,
    idleTimeout: '10s',
  });
  // Envoy's proxies cut a connection at half of overload.premature_reset_total_stream_count, which is 500.
  expect(requestsPerConnection).toBeLessThan(500 / 2);
});

test('limits and outliers of the policy go before the defaults, one by one', () => {
  const policy = rule(['a', 'd'], {
    connections: {
      maxRequests: 100,
      maxPendingRequests: 10,
      maxRequestsPerConnection: 50,
      idleTimeoutSeconds: 60,
    },
    outliers: { consecutiveErrors: 3, intervalSeconds: 1, ejectionSeconds: 5, maxEjectionPercent: 30 },
  });
  expect(policy?.connectionPool).toEqual({
    http: {
      http2MaxRequests: 100,
      http1MaxPendingRequests: 10,
      maxRequestsPerConnection: 50,
      idleTimeout: '60s',
    },
  });
  expect(policy?.outlierDetection).toEqual({
    consecutiveGatewayErrors: 3,
    consecutive5xxErrors: 0,
    interval: '1s',
    baseEjectionTime: '5s',
    maxEjectionPercent: 30,
  });
  expect(rule(['a', 'd'], { outliers: { intervalSeconds: 1 } })?.outlierDetection).toMatchObject({
    consecutiveGatewayErrors: 5,
    interval: '1s',
    baseEjectionTime: '30s',
  });
});

test('a version that runs in one region keeps half its pods, also when other versions fail over', () => {
  const subsets = [
    { name: 'v1', placement: ['a', 'd'] },
    { name: 'v2', placement: ['d'] },
  ];
  const service = { host, placement: ['a', 'd'], clusters, outliers: grpcOutliers, http: false, subsets };
  const { trafficPolicy, subsets: rendered } = destinationRule(service);
  expect(trafficPolicy?.outlierDetection?.maxEjectionPercent).toBe(100);
  expect(rendered).toEqual([
    { name: 'v1', labels: { version: 'v1' } },
    {
      name: 'v2',
      labels: { version: 'v2' },
      trafficPolicy: {
        outlierDetection: {
          consecutiveGatewayErrors: 5,
          consecutive5xxErrors: 0,
          interval: '10s',
          baseEjectionTime: '30s',
          maxEjectionPercent: 50,
        },
      },
    },
  ]);
});
