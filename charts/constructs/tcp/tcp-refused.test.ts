import { describe, expect, test } from '@jest/globals';
import { ordersIn, redisIn, image, refused, type Clusters, type Shop } from '../../testing/foreign.ts';
import { clusters, problemsOf, twoClusters } from '../../testing/mesh.ts';
import { lab } from '../../platforms.ts';
import { withProject } from '../../testing/project.ts';
import { existingCaller } from '../existing/existing-caller.ts';
import { Mesh } from '../mesh.ts';
import type { Method } from '../scope/method.ts';
import { MutualTls } from '../workload/mutual-tls.ts';
import { TcpService, type TcpServiceProps } from './tcp-service.ts';

// Plain JavaScript may pass anything.
const declared = (props: unknown) => (shop: Shop) =>
  new TcpService(shop, 'redis', props as TcpServiceProps<string, Clusters>);

describe('properties of a service over TCP', () => {
  test('that are missing, misspelt or of a wrong kind are told all at once', () => {
    const wrong = {
      image: 'redis:latest',
      ports: { redis: '6379', Bus: 16_379, 'http-envoy-prom-2': 70_000, low: 80, same: 16_379 },
      replicated: 'yes',
      replcas: 2,
      placement: ['wset'],
    };
    const port = 'a port from 1024 to 65535, except 15000 to 15099 (used by Istio), 9465 (used for metrics)';
    const name = '1 to 15 of a-z, 0-9 and single inner hyphens, with at least one letter';
    expect(refused(declared(wrong))).toEqual([
      'demo/shop/redis: placement: the mesh has no such cluster; received "wset"; allowed east, west; fix: did you mean west?',
      `demo/shop/redis: ports.redis: wrong value; received "6379"; allowed ${port}`,
      `demo/shop/redis: ports.http-envoy-prom-2: wrong value; received 70000; allowed ${port}`,
      `demo/shop/redis: ports.low: wrong value; received 80; allowed ${port}`,
      'demo/shop/redis: image: the tag latest may be moved to another image; received "redis:latest"; allowed NAME:TAG or NAME@sha256:DIGEST, with or without a registry; a tag that is never moved',
      `demo/shop/redis: ports: is not the name of a port; received "Bus"; allowed ${name}`,
      `demo/shop/redis: ports: is not the name of a port; received "http-envoy-prom-2"; allowed ${name}`,
      'demo/shop/redis: ports.same: is the same port of the container as that of Bus; received 16379; fix: give each its own',
      'demo/shop/redis: replcas: unknown key; received "replcas"; allowed image, imagePullSecrets, env, resources, replicas, autoscaling, shutdown, command, args, user, metrics, pod, clusters, ports, placement, replicated, stateful, probes; fix: did you mean replicas?',
      'demo/shop/redis: replicated: is not a boolean; received "yes"; allowed true or false',
    ]);
  });

  test('none at all', () => {
    expect(refused(declared(undefined))).toEqual([
      'demo/shop/redis: image: missing; allowed NAME:TAG or NAME@sha256:DIGEST, with or without a registry; a tag that is never moved',
      'demo/shop/redis: ports: missing; allowed a mapping from names to ports',
    ]);
    expect(refused(declared({ image, ports: {} }))).toEqual([
      'demo/shop/redis: ports: names no port, so that there is nothing to call; received {}; fix: add one: { redis: 6379 }',
    ]);
  });

  test('ports of the Service that are one, and a probe of a port that is none', () => {
    const ports = { one: { port: 7000, servicePort: 80 }, two: { port: 7001, servicePort: 80 } };
    expect(refused(declared({ image, ports, probes: { liveness: { tcp: { port: 80 } } } }))).toEqual([
      'demo/shop/redis: ports.two: is the same port of the Service as that of one; received 80; fix: give each its own',
      'demo/shop/redis: probes.liveness.tcp.port: is not one of the ports of the container; received 80; allowed 7000, 7001',
    ]);
  });

  test('a port of a container beside its own that is one of its own', () => {
    const exporter = { name: 'exporter', image: 'registry.example/exporter:1.0.0', ports: [6379] };
    expect(refused(declared({ image, ports: { redis: 6379 }, pod: { containers: [exporter] } }))).toEqual([
      'demo/shop/redis: pod.containers[0].ports[0]: is a port that redis listens on in the same pod; received 6379; fix: choose another',
    ]);
  });

  test('probes by gRPC, which its server does not speak', () => {
    const ports = { redis: 6379 };
    expect(refused(declared({ image, ports, probes: { grpc: {} } }))).toEqual([
      'demo/shop/redis: probes.grpc: unknown key; allowed tcp, http, exec; fix: remove it',
    ]);
    expect(refused(declared({ image, ports, probes: 'never' }))).toEqual([
      'demo/shop/redis: probes: wrong value; received "never"; allowed \'none\', { tcp: { port? } }, { http: { path, port } } or { exec: [PROGRAM, ...] }',
    ]);
  });
});

describe('calls of ports', () => {
  type Loose = (...given: unknown[]) => void;

  test('from plain JavaScript are checked at synth, with the nearest name', () => {
    withProject({}, (root) => {
      const mesh = twoClusters(root);
      const shop = mesh.namespace('shop');
      const redis = redisIn(shop);
      const orders = ordersIn(shop);
      const other = redisIn(twoClusters(root).namespace('shop'));
      const ports = redis.port as unknown as Readonly<Record<string, unknown>>;
      (orders.calls.bind(orders) as Loose)(ports['reddis'], redis, other.port.redis, 6379, redis.port);
      orders.callsHttp(redis.port.redis as unknown as Method<'unary', Clusters>);
      const what = 'is not a method, port, or route of a declared service';
      const allowed =
        'allowed SERVICE.method.NAME, SERVICE.port.NAME of a TcpService, or SERVICE.route(VERB, PATH) of an HttpService';
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/orders: calls[0]: demo/shop/redis has no such port; received "reddis"; allowed redis; fix: did you mean redis?',
        `demo/shop/orders: calls[1]: ${what}; received "demo/shop/redis"; ${allowed}`,
        'demo/shop/orders: calls[2]: is a port of a service in another mesh; received "demo/shop/redis"; fix: declare the service in this mesh',
        `demo/shop/orders: calls[3]: ${what}; received 6379; ${allowed}`,
        `demo/shop/orders: calls[4]: ${what}; received {"redis":"demo/shop/redis.port.redis"}; ${allowed}`,
        'demo/shop/orders: callsHttp[0]: is not a method of a declared service; received "demo/shop/redis.port.redis"; allowed SERVICE.method.NAME',
      ]);
    });
  });

  /** A mesh of three clusters, with a cache in two of them. */
  const inThree = (declare: (shop: ReturnType<typeof shopOf>) => unknown) =>
    withProject({}, (root) => {
      const { mesh, shop } = shopIn(root);
      declare({ mesh, shop });
      return problemsOf(mesh);
    });
  const shopOf = (mesh: ReturnType<typeof shopIn>['mesh']) => ({ mesh, shop: mesh.namespace('shop') });
  const shopIn = (root: string) => {
    const three = { ...clusters, north: { network: 'net-north', region: 'region-n', zone: 'zone-n1' } };
    const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters: three, platform: lab });
    return { mesh, shop: mesh.namespace('shop') };
  };
  const cacheIn = (shop: ReturnType<typeof shopOf>['shop'], replicated: boolean) =>
    new TcpService(shop, 'redis', { image, ports: { redis: 6379 }, placement: ['east', 'west'], replicated });
  const what =
    'connects to demo/shop/redis, whose instances have data of their own in each of several clusters, also from clusters that have none';
  const fix =
    'fix: add north to the placement of demo/shop/redis, run the caller only where it is, or say replicated: true if all instances hold the same data';

  test('from a cluster without an instance, where those elsewhere have data of their own', () => {
    const problems = inThree(({ mesh, shop }) => {
      const redis = cacheIn(shop, false);
      redisCaller(shop).calls(redis.port.redis);
      existingCaller(mesh, { namespace: 'shop', serviceAccount: 'reports' }).calls(redis.port.redis);
    });
    expect(problems).toEqual([
      `demo/shop/caller: calls: ${what}; received ["north"]; allowed east, west; ${fix}`,
      `demo/existingCaller(shop/reports): calls: ${what}; received ["north"]; allowed east, west; ${fix}`,
    ]);
    expect(
      inThree(({ shop }) => {
        redisCaller(shop).calls(cacheIn(shop, true).port.redis);
      }),
    ).toEqual([]);
  });

  test('nor from one whose instance has no pods', () => {
    const problems = inThree(({ shop }) => {
      const props = { image, ports: { redis: 6379 }, clusters: { north: { replicas: 0 } } };
      redisCaller(shop).calls(new TcpService(shop, 'redis', props).port.redis);
    });
    expect(problems).toEqual([
      `demo/shop/caller: calls: ${what}; received ["north"]; allowed east, west; ${fix}`,
    ]);
  });

  /** Calls from every cluster. */
  function redisCaller(shop: ReturnType<typeof shopOf>['shop']) {
    return new TcpService(shop, 'caller', { image, ports: { tcp: 7000 }, replicated: true });
  }
});

test('mutual TLS of a port that it does not have', () => {
  const problems = refused((shop) => {
    const redis = redisIn(shop);
    const ports = { reddis: 'STRICT' } as unknown as { redis: 'STRICT' };
    new MutualTls(redis, 'mutual-tls', { mode: 'STRICT', ports });
  });
  expect(problems).toEqual([
    'demo/shop/redis/mutual-tls: ports.reddis: demo/shop/redis has no such port; received "reddis"; allowed redis, 6379; fix: did you mean redis?',
  ]);
});
