import { describe, expect, test } from '@jest/globals';
import { lab } from '../../platforms.ts';
import { synthesize } from '../../synth.ts';
import { clusters, objectOf, objectsOf, twoClusters } from '../../testing/mesh.ts';
import { ordersIn, redisImage, redisIn, meshWith, podOf, spec } from '../../testing/foreign.ts';
import { expectGolden } from '../../testing/golden.ts';
import { withProject } from '../../testing/project.ts';
import { existingCaller } from '../existing/existing-caller.ts';
import { Mesh } from '../mesh.ts';
import { MutualTls } from '../workload/mutual-tls.ts';
import { TcpService } from './tcp-service.ts';

const orders = 'demo.example/ns/shop/sa/orders';

describe('a service over TCP with a caller', () => {
  const rendered = meshWith((shop) => {
    const redis = redisIn(shop);
    ordersIn(shop).calls(redis.port.redis);
  });
  const own = (cluster: string) =>
    objectsOf(rendered, cluster, 'shop').filter(({ metadata }) => metadata.name === 'redis');

  test('is a Service, its policies and its pods, the same in every cluster', () => {
    expect(own('east').map(({ kind }) => kind)).toEqual([
      'AuthorizationPolicy',
      'DestinationRule',
      'Service',
      'ServiceAccount',
      'Sidecar',
      'VirtualService',
      'Deployment',
    ]);
    expect(own('east')).toEqual(own('west'));
    expectGolden(import.meta.url, 'tcp-service', own('east'));
  });

  test('lets the identity of its caller through to the port, without a word of paths or methods', () => {
    expect(spec(rendered, 'AuthorizationPolicy', 'redis')).toEqual({
      selector: { matchLabels: { 'app.kubernetes.io/name': 'redis' } },
      action: 'ALLOW',
      rules: [{ from: [{ source: { principals: [orders] } }], to: [{ operation: { ports: ['6379'] } }] }],
    });
  });

  test('is known to its callers, and to nobody else', () => {
    const egress = (name: string) => spec(rendered, 'Sidecar', name);
    expect(egress('orders')).toMatchObject({ egress: [{ hosts: ['shop/redis.shop.svc.cluster.local'] }] });
    expect(egress('redis')).toMatchObject({ egress: [{ hosts: ['~/*'] }] });
    const annotations = objectOf(rendered, 'east', 'Service', 'redis')?.metadata.annotations;
    expect(annotations).toEqual({ 'networking.istio.io/exportTo': '.,istio-eastwest' });
  });

  test('has ports whose bytes are passed on as they come: a server may speak first', () => {
    expect(spec(rendered, 'Service', 'redis')).toMatchObject({
      ports: [{ name: 'redis', port: 6379, targetPort: 6379, protocol: 'TCP', appProtocol: 'tcp' }],
    });
  });

  test('runs its image, which is asked by a connection whether it is there, and waits before it ends', () => {
    const [container, ...others] = podOf(rendered, 'redis').spec.containers;
    expect(others).toEqual([]);
    expect(container).toMatchObject({
      image: redisImage,
      ports: [{ name: 'redis', containerPort: 6379 }],
      startupProbe: { tcpSocket: { port: 6379 } },
      readinessProbe: { tcpSocket: { port: 6379 } },
      livenessProbe: { tcpSocket: { port: 6379 } },
      lifecycle: { preStop: { sleep: { seconds: 10 } } },
    });
  });
});

/** What a caller in a cluster may connect to: the subset of each port by the caller's cluster, and the subsets' labels. */
const apart = {
  subsets: ['east', 'west'].map((name) => ({ name, labels: { 'topology.istio.io/cluster': name } })),
};

describe('instances in several clusters', () => {
  test('with data of their own are called in the cluster of the caller alone, before any of them runs', () => {
    const rendered = meshWith((shop) => {
      const redis = new TcpService(shop, 'redis', {
        image: redisImage,
        ports: { redis: 6379, bus: { port: 16379, servicePort: 7000 } },
      });
      ordersIn(shop).calls(redis.port.redis, redis.port.bus);
    });
    const host = 'redis.shop.svc.cluster.local';
    expect(spec(rendered, 'DestinationRule', 'redis')).toEqual({
      host,
      exportTo: ['.', 'istio-eastwest'],
      trafficPolicy: { loadBalancer: { localityLbSetting: { enabled: false } } },
      ...apart,
    });
    const to = (port: number, cluster: string) => ({
      match: [{ port, sourceLabels: { 'topology.istio.io/cluster': cluster } }],
      route: [{ destination: { host, subset: cluster, port: { number: port } } }],
    });
    expect(spec(rendered, 'VirtualService', 'redis')).toEqual({
      hosts: [host],
      exportTo: ['.', 'istio-eastwest'],
      tcp: [to(6379, 'east'), to(6379, 'west'), to(7000, 'east'), to(7000, 'west')],
    });
    const stages = rendered.filter(({ objects }) =>
      objects.some(({ kind, metadata }) => kind === 'VirtualService' && metadata.name === 'redis'),
    );
    expect([...new Set(stages.map(({ stage }) => stage))]).toEqual(['40-services']);
  });

  test('that hold the same data are called where one is, the nearest first', () => {
    const rendered = meshWith((shop) => {
      const redis = redisIn(shop, { replicated: true });
      ordersIn(shop).calls(redis.port.redis);
    });
    expect(spec(rendered, 'DestinationRule', 'redis')).toMatchObject({
      trafficPolicy: {
        loadBalancer: {
          localityLbSetting: {
            enabled: true,
            failover: [
              { from: 'region-e', to: 'region-w' },
              { from: 'region-w', to: 'region-e' },
            ],
          },
        },
        outlierDetection: { consecutiveLocalOriginFailures: 5, maxEjectionPercent: 100 },
      },
    });
    expect(spec(rendered, 'DestinationRule', 'redis')).not.toHaveProperty('subsets');
    expect(objectOf(rendered, 'east', 'VirtualService', 'redis')).toBeUndefined();
  });

  test('in one cluster alone are called from every cluster, and no pod that is left in another one is', () => {
    const rendered = meshWith((shop) => {
      const redis = redisIn(shop, { placement: ['west'] });
      ordersIn(shop).calls(redis.port.redis);
    });
    const host = 'redis.shop.svc.cluster.local';
    expect(spec(rendered, 'DestinationRule', 'redis')).toMatchObject({
      subsets: [{ name: 'west', labels: { 'topology.istio.io/cluster': 'west' } }],
    });
    expect(spec(rendered, 'VirtualService', 'redis')).toMatchObject({
      tcp: [
        {
          match: [{ port: 6379 }],
          route: [{ destination: { host, subset: 'west', port: { number: 6379 } } }],
        },
      ],
    });
    expect(spec(rendered, 'VirtualService', 'redis')).not.toHaveProperty('tcp.0.match.0.sourceLabels');
    expect(objectOf(rendered, 'east', 'Deployment', 'redis')).toBeUndefined();
    expect(objectOf(rendered, 'east', 'Service', 'redis')).toBeDefined();
  });
});

test('grants are by port of the container, each caller its own', () => {
  const rendered = meshWith((shop) => {
    const db = new TcpService(shop, 'db', {
      image: 'mysql:9.4.0',
      ports: { mysql: { port: 13306, servicePort: 3306 }, admin: 33062 },
    });
    ordersIn(shop).calls(db.port.mysql, db.port.mysql);
    redisIn(shop).calls(db.port.admin, db.port.mysql);
    existingCaller(shop.mesh, { namespace: 'shop', serviceAccount: 'reports' }).calls(db.port.admin);
  });
  const rule = (account: string, port: string) => ({
    from: [{ source: { principals: [`demo.example/ns/shop/sa/${account}`] } }],
    to: [{ operation: { ports: [port] } }],
  });
  expect(spec(rendered, 'AuthorizationPolicy', 'db')).toMatchObject({
    rules: [
      rule('orders', '13306'),
      rule('redis', '13306'),
      rule('redis', '33062'),
      rule('reports', '33062'),
    ],
  });
});

test('what nobody calls is allowed to nobody', () => {
  const rendered = meshWith((shop) => redisIn(shop));
  expect(objectOf(rendered, 'east', 'AuthorizationPolicy', 'redis')).toBeUndefined();
});

test('ports may be named as those of gRPC services are, and are none', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    const shop = mesh.namespace('shop');
    const odd = new TcpService(shop, 'odd', { image: 'odd:1.0.0', ports: { grpc: 5000, http: 5001 } });
    ordersIn(shop).calls(odd.port.grpc);
    const found = mesh.model().workloads.find(({ name }) => name === 'odd');
    expect(found).toMatchObject({
      ports: {},
      services: [],
      calls: [],
      tcp: [
        { name: 'grpc', port: 5000 },
        { name: 'http', port: 5001 },
      ],
    });
    expect(found).not.toHaveProperty('app');
    expect(mesh.model().foreignImages).toEqual(['localhost/meshwright/odd:1.0.0']);
  });
});

test('all that is said of the container is what it gets', () => {
  const rendered = meshWith((shop) =>
    redisIn(shop, {
      imagePullSecrets: ['registry-key'],
      env: { PASSWORD: { secret: 'redis', key: 'password' } },
      resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '2Gi' } },
      replicas: 2,
      autoscaling: { maxReplicas: 3 },
      shutdown: { drainSeconds: 45, graceSeconds: 60 },
      command: ['/redis-server'],
      args: ['--appendonly', 'no'],
      probes: { startup: { exec: ['/ping'] }, readiness: { tcp: { port: 6379 } }, liveness: 'none' },
      user: 999,
      metrics: { port: 9121 },
    }),
  );
  const { metadata, spec: pod } = podOf(rendered, 'redis');
  const [container] = pod.containers;
  expect(container).toMatchObject({
    command: ['/redis-server'],
    args: ['--appendonly', 'no'],
    env: [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'redis', key: 'password' } } }],
    resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '2Gi' } },
    securityContext: { runAsNonRoot: true, readOnlyRootFilesystem: true, runAsUser: 999 },
    startupProbe: { exec: { command: ['/ping'] } },
    readinessProbe: { tcpSocket: { port: 6379 } },
  });
  expect(container).not.toHaveProperty('livenessProbe');
  expect(pod.terminationGracePeriodSeconds).toBe(60);
  expect(metadata.annotations).toMatchObject({ 'prometheus.io/port': '9121' });
  expect(spec(rendered, 'HorizontalPodAutoscaler', 'redis')).toMatchObject({
    minReplicas: 2,
    maxReplicas: 3,
  });
  expect(objectOf(rendered, 'east', 'ServiceAccount', 'redis')?.['imagePullSecrets']).toEqual([
    { name: 'registry-key' },
  ]);
});

test('its pods, and what differs by cluster, are said as of any service', () => {
  const rendered = meshWith((shop) =>
    redisIn(shop, {
      pod: { volumes: { data: { claim: 'redis-data' } }, mounts: { '/data': 'data' } },
      clusters: { west: { replicas: 2, env: { ROLE: 'replica' } } },
      replicated: true,
    }),
  );
  expect(podOf(rendered, 'redis').spec).toMatchObject({
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'redis-data' } }],
    containers: [{ name: 'redis', volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
  });
  expect(podOf(rendered, 'redis').spec.containers[0]).not.toHaveProperty('env');
  expect(podOf(rendered, 'redis', 'west').spec.containers[0]?.env).toEqual([
    { name: 'ROLE', value: 'replica' },
  ]);
  expect(objectOf(rendered, 'west', 'Deployment', 'redis')).toHaveProperty('spec.replicas', 2);
});

test('mutual TLS of a port is told by its name', () => {
  const rendered = meshWith((shop) => {
    const redis = redisIn(shop);
    new MutualTls(redis, 'mutual-tls', { mode: 'STRICT', ports: { redis: 'PERMISSIVE' } });
  });
  expect(spec(rendered, 'PeerAuthentication', 'redis-mutual-tls')).toMatchObject({
    mtls: { mode: 'STRICT' },
    portLevelMtls: { 6379: { mode: 'PERMISSIVE' } },
  });
});

test('in a mesh of one cluster, which an Istio of others may have under any name, nothing goes by its name', () => {
  withProject({}, (root) => {
    const { east } = clusters;
    const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters: { east }, platform: lab });
    new TcpService(mesh.namespace('shop'), 'redis', { image: redisImage, ports: { redis: 6379 } });
    const rendered = synthesize(mesh);
    expect(objectOf(rendered, 'east', 'VirtualService', 'redis')).toBeUndefined();
    expect(objectOf(rendered, 'east', 'DestinationRule', 'redis')?.['spec']).toEqual({
      host: 'redis.shop.svc.cluster.local',
      trafficPolicy: { loadBalancer: { localityLbSetting: { enabled: false } } },
      exportTo: expect.anything() as unknown,
    });
  });
});
