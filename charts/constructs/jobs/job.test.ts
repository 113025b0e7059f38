import { describe, expect, test } from '@jest/globals';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { synthesize } from '../../synth.ts';
import {
  frontIn,
  meshWith,
  redisIn,
  spec,
  type Clusters,
  type Rendered,
  type Shop,
} from '../../testing/foreign.ts';
import { expectGolden } from '../../testing/golden.ts';
import { objectsOf, twoClusters } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { ExternalService } from '../access/external-service.ts';
import { GrpcService } from '../workload/grpc-service.ts';
import { CronJob, type CronJobProps } from './cron-job.ts';
import { Job, type JobProps } from './job.ts';

const image = 'registry.example/migrate:1.2.0';

/** A migration of the west that asks the catalog and writes into a cache. */
function migrateIn(shop: Shop, props: Partial<JobProps<Clusters>> = {}) {
  const catalog = new GrpcService(shop, 'catalog', { app: 'apps/catalog', service: CatalogService });
  const redis = redisIn(shop);
  const migrate = new Job(shop, 'migrate', { image, placement: ['west'], ...props });
  migrate.calls(catalog.method.getProduct, redis.port.redis);
  return migrate;
}

/** Of a rendered mesh, the Jobs of a cluster. */
const jobsOf = (rendered: Rendered, cluster = 'west', kind = 'Job') =>
  objectsOf(rendered, cluster, 'shop').filter((object) => object.kind === kind);
const nameWith = (props: Partial<JobProps<Clusters>> = {}, cluster = 'west') => {
  const names = jobsOf(
    meshWith((shop) => migrateIn(shop, props)),
    cluster,
  ).map(({ metadata }) => metadata.name);
  expect(names).toHaveLength(1);
  return names[0] ?? '';
};

describe('a Job', () => {
  const rendered = meshWith((shop) => migrateIn(shop));
  const own = (cluster: string) =>
    objectsOf(rendered, cluster, 'shop').filter(({ metadata }) => /^migrate(-|$)/.test(metadata.name));

  test('has an identity in every cluster, no Service, and pods where it is placed', () => {
    const kinds = (cluster: string) => own(cluster).map(({ kind }) => kind);
    expect(kinds('east')).toEqual(['EnvoyFilter', 'ServiceAccount', 'Sidecar']);
    expect(kinds('west')).toEqual(['EnvoyFilter', 'ServiceAccount', 'Sidecar', 'Job']);
    expectGolden(import.meta.url, 'job', own('west'));
  });

  test('comes after all that it may call', () => {
    const stage = rendered.find(({ objects }) => objects.some(({ kind }) => kind === 'Job'));
    expect(stage?.path).toBe('west/70-jobs.k8s.yaml');
    expect(rendered.filter((one) => one.stage === '70-jobs')).toHaveLength(1);
  });

  test('is let through by its identity to what it calls, and knows nothing else', () => {
    const principals = ['demo.example/ns/shop/sa/migrate'];
    const from = [{ source: { principals } }];
    expect(spec(rendered, 'AuthorizationPolicy', 'redis')).toMatchObject({ rules: [{ from }] });
    expect(spec(rendered, 'AuthorizationPolicy', 'catalog')).toMatchObject({
      rules: [{ from, to: [{ operation: { paths: ['/test.catalog.v1.CatalogService/GetProduct'] } }] }],
    });
    expect(spec(rendered, 'Sidecar', 'migrate')).toMatchObject({
      egress: [{ hosts: ['shop/catalog.shop.svc.cluster.local', 'shop/redis.shop.svc.cluster.local'] }],
    });
  });

  test('gets to services of every kind, and to hosts outside with what its proxy needs for that', () => {
    withProject({}, (root) => {
      const mesh = twoClusters(root);
      const shop = mesh.namespace('shop');
      const front = frontIn(shop);
      const redis = redisIn(shop, { stateful: {} });
      const bank = new ExternalService(shop, 'bank', {
        host: 'bank.example',
        ports: { https: { port: 443, protocol: 'HTTP', tls: { ca: { secret: 'bank-ca' } } } },
      });
      const migrate = new Job(shop, 'migrate', { image, placement: ['west'] });
      migrate.calls(front.route('GET', '/health'), redis.pods.redis);
      migrate.callsExternal(bank);
      const all = synthesize(mesh);
      const hosts = ['bank.example', 'front.shop.svc.cluster.local', 'redis-pods.shop.svc.cluster.local'];
      expect(spec(all, 'Sidecar', 'migrate')).toMatchObject({
        egress: [{ hosts: hosts.map((host) => `shop/${host}`) }],
      });
      const [run] = mesh.model().runs ?? [];
      expect(run).toMatchObject({
        requests: [{ workload: 'front', verb: 'GET', path: '/health' }],
        connects: [{ workload: 'redis', pod: 'redis-0.redis-pods', port: 6379 }],
      });
      expect(Object.values(run?.proxyAnnotations ?? {}).join()).toContain('"secretName":"bank-ca"');
      expect(jobsOf(all)[0]).toHaveProperty('spec.template.metadata.annotations', {
        'sidecar.istio.io/nativeSidecar': 'true',
        ...run?.proxyAnnotations,
      });
    });
  });

  test('asks for a proxy that ends with it', () => {
    expect(jobsOf(rendered)[0]).toHaveProperty('spec.template.metadata.annotations', {
      'sidecar.istio.io/nativeSidecar': 'true',
    });
  });
});

describe('the name of a Job', () => {
  test('is another one whenever anything that it is changes, in any of its clusters', () => {
    const both = { placement: ['east', 'west'] as const };
    const names = [
      nameWith(),
      nameWith({ image: 'registry.example/migrate:1.2.1' }),
      nameWith({ args: ['up'] }),
      nameWith({ env: { LEVEL: '1' } }),
      nameWith({ backoffLimit: 0 }),
      nameWith({ pod: { volumes: { rules: { files: { a: '1' } } }, mounts: { '/a': 'rules' } } }),
      nameWith({ pod: { volumes: { rules: { files: { a: '2' } } }, mounts: { '/a': 'rules' } } }),
      nameWith(both),
      nameWith({ ...both, clusters: { east: { env: { LEVEL: '1' } } } }),
      nameWith({ ...both, clusters: { east: { env: { LEVEL: '2' } } } }),
    ];
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^migrate-[0-9a-f]{8}$/);
  });

  test('is the same in all its clusters, also where they differ, and each time', () => {
    const differing = { placement: ['east', 'west'], clusters: { east: { env: { LEVEL: '1' } } } } as const;
    expect(nameWith(differing, 'east')).toBe(nameWith(differing, 'west'));
    expect(nameWith()).toBe(nameWith());
  });

  test('is not changed by what it may call', () => {
    const alone = meshWith((shop) => new Job(shop, 'migrate', { image, placement: ['west'] }));
    expect(jobsOf(alone)[0]?.metadata.name).toBe(nameWith());
  });
});

test('all that is said of a Job stands in it', () => {
  const rendered = meshWith(
    (shop) =>
      new Job(shop, 'import', {
        image: 'import:2.0.0',
        placement: ['east', 'west'],
        command: ['/import'],
        args: ['--all'],
        env: { LEVEL: '1' },
        user: 1000,
        imagePullSecrets: ['registry-key'],
        backoffLimit: 0,
        activeDeadlineSeconds: 3600,
        completions: 4,
        parallelism: 2,
        restartPolicy: 'OnFailure',
        resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '2Gi' } },
        clusters: {
          east: {
            image: 'import:2.0.1',
            resources: { requests: { cpu: '2', memory: '1Gi' }, limits: { memory: '2Gi' } },
          },
        },
        pod: {
          nodeSelector: { pool: 'batch' },
          initContainers: [{ name: 'tail', sidecar: true, args: ['tail'] }],
          patches: [{ op: 'add', path: '/spec/podReplacementPolicy', value: 'Failed' }],
        },
      }),
  );
  expectGolden(import.meta.url, 'whole-job', [...jobsOf(rendered, 'east'), ...jobsOf(rendered, 'west')]);
  const [east, west] = ['east', 'west'].map((cluster) => jobsOf(rendered, cluster)[0]);
  expect(east?.metadata).toEqual(west?.metadata);
  expect(east?.metadata.annotations).toMatchObject({ 'meshwright/differs': 'east: resources, image' });
});

describe('a CronJob', () => {
  const rendered = meshWith((shop) => {
    const catalog = new GrpcService(shop, 'catalog', { app: 'apps/catalog', service: CatalogService });
    const report = new CronJob(shop, 'report', {
      image: 'registry.example/report:1.0.0',
      placement: ['east'],
      schedule: '30 2 * * mon-fri',
      timeZone: 'Europe/Berlin',
      startingDeadlineSeconds: 600,
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 2,
      ttlSecondsAfterFinished: 3600,
      pod: {
        labels: { 'shop.example/tier': 'back' },
        patches: [{ op: 'add', path: '/spec/jobTemplate/spec/template/spec/hostname', value: 'report' }],
      },
      clusters: { east: { env: { LEVEL: 'debug' } } },
    });
    report.calls(catalog.method.getProduct);
  });

  test('keeps its name, as its runs have names of their own', () => {
    expect(jobsOf(rendered, 'east', 'CronJob').map(({ metadata }) => metadata.name)).toEqual(['report']);
    expect(jobsOf(rendered, 'west', 'CronJob')).toEqual([]);
    expectGolden(import.meta.url, 'cron-job', jobsOf(rendered, 'east', 'CronJob'));
  });

  test('runs one at a time, by UTC, unless said otherwise', () => {
    const short = meshWith(
      (shop) => new CronJob(shop, 'report', { image, placement: ['east'], schedule: '@daily' }),
    );
    expect(spec(short, 'CronJob', 'report')).toMatchObject({
      ...{ schedule: '@daily', timeZone: 'Etc/UTC', concurrencyPolicy: 'Forbid', suspend: false },
      jobTemplate: { spec: { backoffLimit: 3, activeDeadlineSeconds: 600 } },
    });
  });
});

test('what is said without a value, as plain JavaScript may, is as if it were not said, and a schedule has no space around it', () => {
  const run = { backoffLimit: null, activeDeadlineSeconds: null, completions: null, restartPolicy: null };
  const props = {
    ...{ image, placement: ['east'], ...run, schedule: ' @daily ' },
    ...{ timeZone: null, suspend: null, failedJobsHistoryLimit: null, ttlSecondsAfterFinished: null },
  } as unknown as CronJobProps<Clusters>;
  const plain = { image, placement: ['east'], schedule: '@daily' } as const;
  const made = (given: CronJobProps<Clusters>) =>
    spec(
      meshWith((shop) => new CronJob(shop, 'report', given)),
      'CronJob',
      'report',
    );
  expect(made(props)).toEqual(made(plain));
});

test('what runs and watches the mesh is told of its jobs', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    const shop = mesh.namespace('shop');
    const migrate = migrateIn(shop);
    new CronJob(shop, 'report', { image, placement: ['east'], schedule: '@daily', suspend: true });
    const model = mesh.model();
    expect(model.runs).toMatchObject([
      {
        ...{
          name: 'migrate',
          namespace: 'shop',
          kind: 'Job',
          object: migrate.objectName,
          placement: ['west'],
        },
        calls: [
          { workload: 'catalog', path: '/test.catalog.v1.CatalogService/GetProduct', answeredBy: 'service' },
        ],
        connects: [{ workload: 'redis', port: 6379 }],
      },
      { name: 'report', kind: 'CronJob', object: 'report', placement: ['east'], suspended: true, calls: [] },
    ]);
    expect(model.foreignImages).toContain(image);
    expect(model.images.map(({ app }) => app)).toContain('apps/gateway');
    expect(synthesize(mesh)).not.toEqual([]);
  });
});
