import { describe, expect, test } from '@jest/globals';
import {
  image,
  meshWith,
  ordersIn,
  redisIn,
  refused,
  spec,
  type Clusters,
  type Shop,
} from '../../testing/foreign.ts';
import { expectGolden } from '../../testing/golden.ts';
import { objectOf, objectsOf, twoClusters } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { existingCaller } from '../existing/existing-caller.ts';
import { TcpService, type TcpServiceProps } from './tcp-service.ts';

const volumes = { data: { mountPath: '/data', size: '10Gi' } };

/** What a StatefulSet of redis says, with these properties. */
const setOf = (props: Partial<TcpServiceProps<'redis', Clusters>>) =>
  spec(
    meshWith((shop) => redisIn(shop, props)),
    'StatefulSet',
    'redis',
  );

describe('a stateful service with a caller of its Service and of its pods', () => {
  const rendered = meshWith((shop) => {
    const redis = redisIn(shop, {
      ...{ stateful: { volumes }, replicas: 3, user: 999 },
      ports: { redis: { port: 6379, servicePort: 80 } },
    });
    ordersIn(shop).calls(redis.port.redis, redis.pods.redis);
    redis.calls(redis.pods.redis);
  });
  const own = (cluster: string) =>
    objectsOf(rendered, cluster, 'shop').filter(({ metadata }) => /^redis(-pods)?$/.test(metadata.name));

  test('is a StatefulSet and a Service for its pods, beside what every service has, the same in every cluster', () => {
    expect(own('east').map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'AuthorizationPolicy redis',
      'DestinationRule redis',
      'Service redis',
      'ServiceAccount redis',
      'Sidecar redis',
      'VirtualService redis',
      'Service redis-pods',
      'PodDisruptionBudget redis',
      'StatefulSet redis',
    ]);
    expect(own('east')).toEqual(own('west'));
    expectGolden(import.meta.url, 'stateful', own('east'));
  });

  test('starts and changes its pods one by one, and leaves their claims when they go', () => {
    expect(spec(rendered, 'StatefulSet', 'redis')).toMatchObject({
      ...{ replicas: 3, serviceName: 'redis-pods', podManagementPolicy: 'OrderedReady' },
      updateStrategy: { type: 'RollingUpdate' },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      template: {
        spec: {
          securityContext: { fsGroup: 999, fsGroupChangePolicy: 'OnRootMismatch', runAsNonRoot: true },
          containers: [{ volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
        },
      },
    });
    expect(spec(rendered, 'PodDisruptionBudget', 'redis')).toMatchObject({ maxUnavailable: 1 });
  });

  test('claims volumes without a label of the mesh, so that nothing deletes them as its own', () => {
    expect(spec(rendered, 'StatefulSet', 'redis')).toMatchObject({
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } },
        },
      ],
    });
  });

  test('has names for its pods on the ports of the container, ready or not, which nothing balances', () => {
    expect(spec(rendered, 'Service', 'redis-pods')).toEqual({
      ...{ clusterIP: 'None', publishNotReadyAddresses: true },
      ports: [{ name: 'redis', port: 6379, targetPort: 6379, protocol: 'TCP', appProtocol: 'tcp' }],
      selector: { 'app.kubernetes.io/name': 'redis' },
    });
    expect(spec(rendered, 'Service', 'redis')).toMatchObject({ ports: [{ port: 80, targetPort: 6379 }] });
    expect(objectOf(rendered, 'east', 'DestinationRule', 'redis-pods')).toBeUndefined();
  });

  test('lets who calls single pods know their names, and its own pods only theirs', () => {
    const hosts = (name: string) =>
      (spec(rendered, 'Sidecar', name) as { egress: { hosts: string[] }[] }).egress[0]?.hosts;
    expect(hosts('orders')).toEqual([
      'shop/redis-pods.shop.svc.cluster.local',
      'shop/redis.shop.svc.cluster.local',
    ]);
    expect(hosts('redis')).toEqual(['shop/redis-pods.shop.svc.cluster.local']);
  });
});

describe('what is said of a stateful service', () => {
  test('may be nothing: then its pods keep nothing but their names', () => {
    const set = setOf({ stateful: {} });
    expect(set).toMatchObject({ replicas: 1, podManagementPolicy: 'OrderedReady' });
    expect(set).not.toHaveProperty('volumeClaimTemplates');
    expect(set).not.toHaveProperty('template.spec.securityContext.fsGroup');
  });

  test('are the class and mode of a volume, the group of its files, and pods that start all at once', () => {
    const data = { ...volumes.data, storageClass: 'fast', accessMode: 'ReadWriteOncePod' } as const;
    const set = setOf({ stateful: { volumes: { data }, podManagement: 'parallel' }, pod: { group: 2000 } });
    expect(set).toMatchObject({
      podManagementPolicy: 'Parallel',
      volumeClaimTemplates: [{ spec: { storageClassName: 'fast', accessModes: ['ReadWriteOncePod'] } }],
      template: { spec: { securityContext: { fsGroup: 2000, fsGroupChangePolicy: 'OnRootMismatch' } } },
    });
    expect(setOf({ stateful: { volumes } })).toMatchObject({
      template: { spec: { securityContext: { fsGroup: 65_532 } } },
    });
  });

  test('leaves its volumes beside those that are said of its pods', () => {
    const pod = { volumes: { scratch: { emptyDir: {} } }, mounts: { '/tmp': 'scratch' } };
    expect(setOf({ stateful: { volumes }, pod })).toMatchObject({
      template: {
        spec: {
          volumes: [{ name: 'scratch', emptyDir: {} }],
          containers: [
            {
              volumeMounts: [
                { name: 'data', mountPath: '/data' },
                { name: 'scratch', mountPath: '/tmp' },
              ],
            },
          ],
        },
      },
    });
  });

  test('is the same with other numbers of pods by cluster, and none where it is not placed', () => {
    const rendered = meshWith((shop) => {
      redisIn(shop, { stateful: { volumes }, clusters: { west: { replicas: 2 } } });
      new TcpService(shop, 'only', { image, ports: { tcp: 7000 }, stateful: {}, placement: ['west'] });
    });
    const replicas = (cluster: string) => objectOf(rendered, cluster, 'StatefulSet', 'redis')?.['spec'];
    expect(replicas('east')).toMatchObject({ replicas: 1 });
    expect(replicas('west')).toMatchObject({ replicas: 2 });
    for (const [kind, name] of [
      ['StatefulSet', 'only'],
      ['Service', 'only-pods'],
    ] as const) {
      expect(objectOf(rendered, 'east', kind, name)).toBeUndefined();
      expect(objectOf(rendered, 'west', kind, name)).toBeDefined();
    }
    expect(objectOf(rendered, 'east', 'Service', 'only')).toBeDefined();
  });
});

test('its model says what it is, and what a caller of its pods connects to', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    const shop = mesh.namespace('shop');
    const redis = redisIn(shop, { stateful: {}, ports: { redis: { port: 6379, servicePort: 80 } } });
    ordersIn(shop).calls(redis.port.redis, redis.pods.redis);
    const { workloads } = mesh.model();
    expect(workloads.find(({ name }) => name === 'redis')?.deployments).toMatchObject([{ stateful: true }]);
    const to = { workload: 'redis', namespace: 'shop', name: 'redis' };
    expect(workloads.find(({ name }) => name === 'orders')?.connects).toEqual([
      { ...to, port: 80 },
      { ...to, port: 6379, pod: 'redis-0.redis-pods' },
    ]);
  });
});

describe('a stateful service is refused', () => {
  // Plain JavaScript may pass anything.
  const declared = (stateful: unknown, rest: object = {}, name = 'redis') =>
    refused((shop) => {
      const props = { image, ports: { redis: 6379 }, stateful, ...rest };
      return new TcpService(shop, name, props as TcpServiceProps<string, Clusters>);
    });
  const at = 'demo/shop/redis: stateful';

  test('with what is no such thing, all at once', () => {
    expect(declared('yes')).toEqual([
      `${at}: wrong value; received "yes"; allowed a mapping with the keys volumes, podManagement`,
    ]);
    const wrong = {
      volumes: {
        data: { size: '10', mountPath: 'data', storageClass: 'Fast', accessMode: 'ReadOnlyMany' },
        logs: { sise: '1Gi', mountPath: '/logs' },
      },
      podManagement: 'OrderedReady',
      replicas: 2,
    };
    expect(declared(wrong)).toEqual([
      `${at}.volumes.data.mountPath: wrong value; received "data"; allowed an absolute path below /, without ".", ".." or a slash at its end, such as /data`,
      `${at}.volumes.data.size: wrong value; received "10"; allowed a Kubernetes quantity as text, at least "1Mi", such as "10Gi"`,
      `${at}.volumes.data.storageClass: wrong value; received "Fast"; allowed the name of a StorageClass: a DNS subdomain: up to 253 characters of a-z, 0-9, hyphen and dot, starting and ending with a letter or digit`,
      `${at}.volumes.data.accessMode: wrong value; received "ReadOnlyMany"; allowed ReadWriteOnce, ReadWriteOncePod, ReadWriteMany`,
      `${at}.volumes.logs.size: missing; allowed a Kubernetes quantity as text, at least "1Mi", such as "10Gi"`,
      `${at}.volumes.logs.sise: unknown key; allowed mountPath, size, storageClass, accessMode; fix: did you mean size?`,
      `${at}.podManagement: wrong value; received "OrderedReady"; allowed ordered, parallel`,
      `${at}.replicas: unknown key; allowed volumes, podManagement; fix: remove it`,
    ]);
  });

  test('with volumes of one place or one name, or of a name that is taken', () => {
    const size = '1Gi';
    const own = {
      Data: { mountPath: '/d', size },
      'istio-token': { mountPath: '/t', size },
      data: { mountPath: '/data', size },
      other: { mountPath: '/data', size },
    };
    const pod = { volumes: { data: { emptyDir: {} } }, mounts: { '/data': 'data' } };
    expect(declared({ volumes: own })).toEqual([
      `${at}.volumes.Data: the name of the volume is not valid; received "Data"; allowed a DNS label: 1 to 63 characters of a-z, 0-9 and hyphen, no hyphen at either end`,
      `${at}.volumes.istio-token: is the name of a volume that Istio or the mesh may put into the pod; received "istio-token"; fix: choose another`,
      `${at}.volumes.other.mountPath: is where the volume data is; received "/data"; fix: choose another`,
    ]);
    expect(declared({ volumes: { data: own.data } }, { pod })).toEqual([
      `${at}.volumes.data: is the name of a volume of pod.volumes, too; received "data"; fix: choose another`,
      `${at}.volumes.data.mountPath: is a path of pod.mounts, too; received "/data"; fix: choose another`,
    ]);
  });

  test('with an autoscaler, and by a name that its pods could not be labelled with', () => {
    expect(declared({}, { autoscaling: { maxReplicas: 3 } })).toEqual([
      'demo/shop/redis: autoscaling: cannot be combined with stateful: what a pod keeps does not come and go with how busy the others are; fix: remove it, and say by replicas how many there are',
    ]);
    const name = 'r'.repeat(53);
    expect(declared({}, {}, name)).toEqual([
      `demo/shop/${name}: stateful: the name of the service is too long for a StatefulSet, whose controller adds to it in a label; received "${name}"; allowed at most 52 characters`,
    ]);
    expect(declared({}, {}, 'r'.repeat(52))).toEqual([]);
  });
});

describe('calls of single pods are refused', () => {
  const fix =
    'fix: run the caller only where they are, or declare what has to be reached one by one from other clusters as a TcpService each';
  const what =
    'calls single pods of demo/shop/redis also from clusters that have none: a name of a single pod holds in its own cluster alone';

  test('from another cluster, also where all of them hold the same data', () => {
    const problems = refused((shop) => {
      const redis = redisIn(shop, { stateful: {}, replicated: true, placement: ['west'] });
      ordersIn(shop).calls(redis.pods.redis);
      existingCaller(shop.mesh, { namespace: 'shop', serviceAccount: 'reports' }).calls(redis.pods.redis);
    });
    expect(problems).toEqual([
      `demo/shop/orders: calls: ${what}; received ["east"]; allowed west; ${fix}`,
      `demo/existingCaller(shop/reports): calls: ${what}; received ["east"]; allowed west; ${fix}`,
    ]);
  });

  test('from one where there are no pods', () => {
    const problems = refused((shop) => {
      const redis = redisIn(shop, { stateful: {}, replicated: true, clusters: { east: { replicas: 0 } } });
      ordersIn(shop).calls(redis.pods.redis);
    });
    expect(problems).toEqual([`demo/shop/orders: calls: ${what}; received ["east"]; allowed west; ${fix}`]);
  });

  test('of a service whose pods have no names that stay, and of a port that there is not', () => {
    expect(
      refused((shop) => {
        ordersIn(shop).calls(redisIn(shop).pods.redis);
      }),
    ).toEqual([
      'demo/shop/orders: calls: calls single pods of demo/shop/redis, which have no names that stay; received "demo/shop/redis.pods.redis"; fix: call demo/shop/redis.port.redis, or declare demo/shop/redis with stateful: {}',
    ]);
    expect(
      refused((shop) => {
        const { pods } = redisIn(shop, { stateful: {} });
        ordersIn(shop).calls((pods as unknown as Record<string, typeof pods.redis>)['reddis']!);
      }),
    ).toEqual([
      'demo/shop/orders: calls[0]: demo/shop/redis has no such port; received "reddis"; allowed redis; fix: did you mean redis?',
    ]);
  });
});

describe('a variable that names a single pod', () => {
  const named = (value: string, declare: (shop: Shop, reader: TcpService<'tcp', Clusters>) => unknown) =>
    refused((shop) => {
      const props = { image, ports: { tcp: 7000 }, env: { PEER: value }, placement: ['east'] } as const;
      declare(shop, new TcpService<'tcp', Clusters>(shop, 'reader', props));
    });
  const pod = (name: string) => `${name}.redis-pods.shop.svc.cluster.local:6379`;
  const at = 'demo/shop/reader: Deployment shop/reader: env PEER of container reader';

  test('of its own cluster is fine with the call, and else refused', () => {
    const value = `${pod('redis-0')},${pod('redis-1')}`;
    expect(
      named(value, (shop, reader) => {
        reader.calls(redisIn(shop, { stateful: {}, replicas: 2 }).pods.redis);
      }),
    ).toEqual([]);
    const host = 'redis-pods.shop.svc.cluster.local';
    const refusal = `${at} names a host that the workload may not call; received "${host}"; fix: declare the call with \`calls\`, or remove the variable`;
    expect(named(pod('redis-0'), (shop) => redisIn(shop, { stateful: {} }))).toEqual([refusal]);
  });

  test('that there is not, or that is in another cluster, is refused', () => {
    const calling = (value: string, west: number) =>
      named(value, (shop, reader) => {
        const clusters = { west: { replicas: west } };
        reader.calls(redisIn(shop, { stateful: {}, clusters }).pods.redis);
      });
    expect(calling(pod('redis-1'), 2)).toEqual([
      `${at} names a single pod that is in west, and not in east: such a name holds in its own cluster alone; received "${pod('redis-1')}"; fix: run the workload where the pod is, or declare what has to be reached one by one from other clusters as a TcpService each`,
    ]);
    expect(calling(pod('redis-1'), 1)).toEqual([
      `${at} names a single pod that there is in no cluster; received "${pod('redis-1')}"; allowed redis-0`,
    ]);
    expect(calling(pod('reddis-0'), 1)).toEqual([
      `${at} names a single pod that there is in no cluster; received "${pod('reddis-0')}"; allowed redis-0`,
    ]);
  });
});
