import { expect, test } from '@jest/globals';
import { gatewayOutliers, grpcOutliers, localityFailover } from './locality-failover.ts';

const cluster = (name: string, region: string) => ({
  name,
  network: `net-${name}`,
  region,
  zone: `${region}-1`,
});
const clusters = [cluster('a', 'r1'), cluster('b', 'r2'), cluster('c', 'r2'), cluster('d', 'r3')];

test('each region fails over to the next one the service runs in, and every endpoint may be ejected', () => {
  expect(localityFailover('x.shop.svc.cluster.local', ['d', 'b', 'a', 'c'], clusters, grpcOutliers)).toEqual({
    host: 'x.shop.svc.cluster.local',
    trafficPolicy: {
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

test('in one region alone nothing fails over to itself, and half the endpoints always stay', () => {
  const { trafficPolicy } = localityFailover('x.shop.svc.cluster.local', ['b', 'c'], clusters, grpcOutliers);
  expect(trafficPolicy?.loadBalancer).toEqual({ localityLbSetting: { enabled: true } });
  expect(trafficPolicy?.outlierDetection?.maxEjectionPercent).toBe(50);
});

test('a gateway is judged by whether it is reached, not by the answers it passes on', () => {
  expect(gatewayOutliers).toEqual({
    splitExternalLocalOriginErrors: true,
    consecutiveLocalOriginFailures: 5,
    consecutive5xxErrors: 0,
  });
});
