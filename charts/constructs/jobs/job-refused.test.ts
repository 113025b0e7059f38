import { describe, expect, test } from '@jest/globals';
import { clusters, problemsOf, twoClusters } from '../../testing/mesh.ts';
import { refused, type Clusters, type Shop } from '../../testing/foreign.ts';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { lab } from '../../platforms.ts';
import { withProject } from '../../testing/project.ts';
import { Mesh } from '../mesh.ts';
import { GrpcService } from '../workload/grpc-service.ts';
import { CronJob, type CronJobProps } from './cron-job.ts';
import { Job, type JobProps } from './job.ts';

// Plain JavaScript may pass anything.
const job =
  (props: unknown, name = 'migrate') =>
  (shop: Shop) =>
    new Job(shop, name, props as JobProps<Clusters>);
const cronJob = (props: unknown) => (shop: Shop) =>
  new CronJob(shop, 'report', props as CronJobProps<Clusters>);
const image = 'registry.example/migrate:1.2.0';
const sound = { image, placement: ['west'] };
const keys =
  'image, imagePullSecrets, env, resources, command, args, user, pod, clusters, placement, tracing, backoffLimit, activeDeadlineSeconds, completions, parallelism, restartPolicy';
const reference = 'NAME:TAG or NAME@sha256:DIGEST, with or without a registry; a tag that is never moved';

describe('properties of a Job', () => {
  test('that are wrong are told all at once', () => {
    const wrong = {
      image: 'migrate:latest',
      placement: ['weest', 'west'],
      args: [],
      user: 0,
      backoffLimit: -1,
      activeDeadlineSeconds: 0,
      completions: 2,
      parallelism: 3,
      restartPolicy: 'Always',
      ttlSecondsAfterFinished: 60,
      clusters: { west: { replicas: 2 } },
    };
    expect(refused(job(wrong))).toEqual([
      'demo/shop/migrate: placement: the mesh has no such cluster; received "weest"; allowed east, west; fix: did you mean west?',
      'demo/shop/migrate: args: wrong value; received []; allowed a list of arguments',
      'demo/shop/migrate: user: wrong value; received 0; allowed the number of a user, from 1 to 2147483647, except 1337 (used by Istio)',
      `demo/shop/migrate: image: the tag latest may be moved to another image; received "migrate:latest"; allowed ${reference}`,
      'demo/shop/migrate: clusters.west.replicas: is for services: it has as many pods as completions says; fix: remove it',
      'demo/shop/migrate: ttlSecondsAfterFinished: would remove the Job, by which is known that it has run: the next up would run it again; received 60; fix: remove it; another version of the Job replaces this one',
      'demo/shop/migrate: backoffLimit: wrong value; received -1; allowed a whole number from 0 to 1000',
      'demo/shop/migrate: activeDeadlineSeconds: wrong value; received 0; allowed a whole number from 1 to 31622400',
      'demo/shop/migrate: restartPolicy: wrong value; received "Always"; allowed Never, OnFailure',
      'demo/shop/migrate: parallelism: is more than completions, so that pods would be for nothing; received 3; allowed 1 to 2; fix: raise completions',
    ]);
  });

  test('that it does not have', () => {
    expect(refused(job({ ...sound, replicas: 2, imgae: undefined }))).toEqual([
      `demo/shop/migrate: replicas: unknown key; received "replicas"; allowed ${keys}; fix: remove it; a construct of your own that reads it passes on the other properties only`,
      `demo/shop/migrate: imgae: unknown key; received "imgae"; allowed ${keys}; fix: did you mean image?`,
    ]);
  });

  test('none at all', () => {
    expect(refused(job(undefined))).toEqual([
      `demo/shop/migrate: image: missing; allowed ${reference}`,
      "demo/shop/migrate: placement: missing, and the mesh has several clusters: it runs once in each that is named; allowed east, west; fix: name one, such as placement: ['east']",
    ]);
  });

  test('in a mesh of one cluster the placement goes without saying', () => {
    withProject({}, (root) => {
      const { east } = clusters;
      const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters: { east }, platform: lab });
      new Job(mesh.namespace('shop'), 'migrate', { image });
      expect(problemsOf(mesh)).toEqual([]);
    });
  });

  test('containers beside, which keep its pods from ending', () => {
    const resources = { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '64Mi' } };
    const containers = [{ name: 'tunnel', image: 'tunnel:1.0.0', resources }];
    expect(refused(job({ ...sound, pod: { containers } }))).toEqual([
      'demo/shop/migrate: pod.containers: keep its pods from ending, as they run beside its own container; received ["tunnel"]; ' +
        'fix: move them to initContainers, with sidecar: true: such a container is ended with the pod',
    ]);
  });

  test.each([
    ['ttlSecondsAfterFinished', 'remove the patch: what is removed would run again'],
    ['suspend', 'remove the patch, or declare a CronJob with suspend'],
    ['activeDeadlineSeconds', 'use activeDeadlineSeconds'],
  ])('a patch of %s', (key, fix) => {
    const path = `/spec/${key}`;
    const [problem = ''] = refused(job({ ...sound, pod: { patches: [{ op: 'add', path, value: 1 }] } }));
    expect(problem).toMatch(
      new RegExp(
        `^demo/shop/migrate: pod.patches\\[0\\].path: spec.${key} of Job shop/migrate\\S* is not for a patch, because the mesh knows, rolls out or removes it by that; received "${path}"; fix: ${fix}$`,
      ),
    );
  });

  test.each([
    ['Job', '/spec/template/spec/restartPolicy', 'use restartPolicy'],
    ['CronJob', '/spec/jobTemplate/spec/template/spec/restartPolicy', 'use restartPolicy'],
    ['CronJob', '/spec/schedule', 'use schedule'],
    ['CronJob', '/spec/timeZone', 'use timeZone'],
    ['CronJob', '/spec/suspend', 'use suspend'],
  ])('a patch of a %s that says what a property says, %s', (kind, path, fix) => {
    const pod = { patches: [{ op: 'replace', path, value: 'Always' }] };
    const declare =
      kind === 'Job' ? job({ ...sound, pod }, 'report') : cronJob({ ...sound, pod, schedule: '@daily' });
    const what = path.slice(1).replaceAll('/', '.');
    const [problem = ''] = refused(declare);
    expect(problem.replace(/report-\w{8}/, 'report')).toBe(
      `demo/shop/report: pod.patches[0].path: ${what} of ${kind} shop/report is not for a patch, because the mesh knows, rolls out or removes it by that; received "${path}"; fix: ${fix}`,
    );
  });

  test('a patch that takes the proxy from its pods, or makes it one that runs on', () => {
    const path = '/spec/template/metadata/annotations/sidecar.istio.io~1nativeSidecar';
    const [problem = ''] = refused(job({ ...sound, pod: { patches: [{ op: 'remove', path }] } }));
    expect(problem).toContain('the annotation sidecar.istio.io/nativeSidecar, by which the proxy is made');
  });
});

test.each(['Job', 'CronJob'])('gates look into the pods of a %s', (kind) => {
  const env = { DB_PASSWORD: 'hunter2-hunter2', CATALOG: 'catalog.shop.svc.cluster.local:50051' };
  const declare =
    kind === 'Job' ? job({ ...sound, env }, 'report') : cronJob({ ...sound, env, schedule: '@daily' });
  const said = refused((shop) => {
    new GrpcService(shop, 'catalog', { app: 'apps/catalog', service: CatalogService });
    return declare(shop);
  });
  const about = `demo/shop/report: ${kind} shop/report`;
  expect(said).toEqual([
    expect.stringMatching(
      new RegExp(
        `^${about}\\S*: env CATALOG of container report names a host that the workload may not call; `,
      ),
    ),
    expect.stringMatching(
      new RegExp(
        `^${about}\\S*: env DB_PASSWORD of container report has the name of a secret, in plain text; `,
      ),
    ),
  ]);
});

describe('names of Jobs', () => {
  test('are for those of their pods as well', () => {
    expect(refused(job(sound, 'm'.repeat(53)))).toEqual([
      `demo/shop/${'m'.repeat(53)}: the name of the job is too long for those of its pods; received "${'m'.repeat(53)}"; allowed at most 52 characters`,
    ]);
    expect(refused(job(sound, 'm'.repeat(52)))).toEqual([]);
    expect(refused(job(sound, 'Migrate'))).toContain(
      'demo/shop/Migrate: the name of the job is not valid; received "Migrate"; allowed a DNS label: 1 to 63 characters of a-z, 0-9 and hyphen, no hyphen at either end, starting with a letter',
    );
  });

  test('are those of accounts, of which each workload of the namespace has its own', () => {
    withProject({}, (root) => {
      const mesh = twoClusters(root);
      const shop = mesh.namespace('shop');
      job(sound)(shop);
      job(sound)(shop);
      expect(problemsOf(mesh)).toContain(
        'demo/shop/migrate: the namespace has two jobs of this name; received "migrate"; fix: rename one',
      );
    });
  });
});

test('properties of a CronJob that are wrong are told all at once', () => {
  const wrong = {
    ...sound,
    schedule: '0 25 * * *',
    timeZone: 'Europe/Berln',
    concurrencyPolicy: 'Never',
    suspend: 'yes',
    startingDeadlineSeconds: 5,
    successfulJobsHistoryLimit: 1.5,
    scheduel: '@daily',
  };
  expect(refused(cronJob(wrong))).toEqual([
    'demo/shop/report: scheduel: unknown key; received "scheduel"; allowed image, imagePullSecrets, env, resources, command, args, user, pod, clusters, placement, tracing, backoffLimit, activeDeadlineSeconds, completions, parallelism, restartPolicy, schedule, timeZone, concurrencyPolicy, startingDeadlineSeconds, successfulJobsHistoryLimit, failedJobsHistoryLimit, ttlSecondsAfterFinished, suspend; fix: did you mean schedule?',
    'demo/shop/report: schedule: has no valid hour; received "25"; allowed *, 0 to 23, a range such as 0-23, each with a step such as */2, or a list of these',
    'demo/shop/report: timeZone: is not a time zone; received "Europe/Berln"; allowed a name of the IANA time zone database, such as Europe/Berlin or Etc/UTC; fix: did you mean Europe/Berlin?',
    'demo/shop/report: concurrencyPolicy: wrong value; received "Never"; allowed Forbid, Allow, Replace',
    'demo/shop/report: suspend: is not a boolean; received "yes"; allowed true or false',
    'demo/shop/report: startingDeadlineSeconds: wrong value; received 5; allowed a whole number from 10 to 31622400',
    'demo/shop/report: successfulJobsHistoryLimit: wrong value; received 1.5; allowed a whole number from 0 to 1000',
  ]);
  expect(refused(cronJob(sound))).toEqual([
    'demo/shop/report: schedule: missing; allowed when it begins runs, such as "30 2 * * *"',
  ]);
});
