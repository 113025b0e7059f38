import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { awaitedAnnotation } from '../../charts/model/labels.ts';
import { readinessOf } from '../plan/readiness.ts';
import { Awaited } from '../testing/awaited.ts';
import { ended, podOf, waiting, type PodState } from '../testing/pods.ts';
import { problemOf } from '../testing/problems.ts';

let east: Awaited;
beforeAll(async () => {
  east = await Awaited.start();
});
afterAll(() => east.api.stop());
afterEach(() => {
  east.reset();
});

const name = 'migrate-1a2b3c4d';
const job = (status: object = {}, spec: object = {}) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, namespace: 'shop', uid: 'uid-job', annotations: { [awaitedAnnotation]: 'complete' } },
  spec: {
    completions: 1,
    activeDeadlineSeconds: 600,
    selector: { matchLabels: { app: 'catalog' } },
    ...spec,
  },
  status,
});
const condition = (type: string, reason: string, message = '') => ({
  conditions: [{ type, status: 'True', reason, message, lastTransitionTime: '2030-01-01T00:00:00Z' }],
});
const limit = condition('Failed', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit');
const put = (state: PodState, pod = 'migrate-1') => {
  east.api.put(podOf('uid-job', state, pod));
};
const failedPod = (exitCode = 1): PodState => ({
  status: { phase: 'Failed', containerStatuses: [ended('migrate', exitCode)] },
});
const where = `east: Job shop/${name}`;
/** When the wait says something for the first time, the Job gets this state. */
const then = (status: object) => {
  east.onLine = () => {
    east.api.put(job(status));
  };
};
const again = () =>
  'then run the command again: a changed Job is another one, which runs; to run this one as it is once more, ' +
  `delete it before: \`${east.kubectl} delete job ${name}\``;

test('only a Job whose end is said to be awaited is awaited', () => {
  const { metadata, ...rest } = job();
  expect(readinessOf([job()]).map(({ kind }) => kind)).toEqual(['ended']);
  expect(readinessOf([{ ...rest, metadata: { ...metadata, annotations: {} } }])).toEqual([]);
});

test('a Job is waited for until it is complete', async () => {
  east.api.put(job({ active: 1 }));
  then(condition('Complete', 'CompletionsReached'));
  await east.wait([job()]);
  expect(east.lines).toEqual([`${where} complete: waiting, 0 of 1 done, 1 pod runs`]);
});

test('a pod that ended well, while the Job is counted as running, is no trouble', async () => {
  east.api.put(job({ active: 1 }));
  put({ status: { phase: 'Succeeded', containerStatuses: [ended('migrate', 0, 'Completed')] } });
  setTimeout(() => {
    east.api.put(job(condition('Complete', 'CompletionsReached')));
  }, 1_200);
  await east.wait([job()]);
  expect(east.lines).toEqual([`${where} complete: waiting, 0 of 1 done, 1 pod runs`]);
});

test('a try that failed is told, with what it said, and waited for', async () => {
  east.api.put(job({ active: 0, failed: 1 }));
  put(failedPod(), 'migrate-1');
  east.logs(() => ({ status: 200, body: 'connecting\nno such table\n' }));
  setTimeout(() => {
    east.api.put(job(condition('Complete', 'CompletionsReached')));
  }, 1_200);
  await east.wait([job()]);
  expect(east.lines).toEqual([
    `${where} complete: waiting, 0 of 1 done, no pod of it runs, 1 failed`,
    `${where}: container migrate of Pod shop/migrate-1 ended with exit code 1; its log ends: connecting | no such table`,
  ]);
});

describe('a Job that failed', () => {
  test('is told with the last words of its last pod', async () => {
    east.api.put(job({ active: 1 }));
    put({ ...failedPod(1), created: '2030-01-01T00:00:00Z' }, 'migrate-1');
    put({ ...failedPod(3), created: '2030-01-01T00:00:10Z' }, 'migrate-2');
    east.logs(() => ({ status: 200, body: 'no such table\n' }));
    then(limit);
    expect(await problemOf(east.wait([job()]))).toEqual({
      exitCode: 1,
      message:
        `${where}: failed: BackoffLimitExceeded: Job has reached the specified backoff limit; container migrate of Pod shop/migrate-2 ended with exit code 3; ` +
        `fix: correct the error in its log, ${again()}\n` +
        '    the log of container migrate of Pod shop/migrate-2 ends:\n      no such table',
    });
  });

  test('is told when that is certain, though its last pod has not ended yet', async () => {
    east.api.put(job({ active: 1 }));
    then(condition('FailureTarget', 'DeadlineExceeded', 'Job was active longer than specified deadline'));
    const { message } = await problemOf(east.wait([job()]));
    expect(message).toContain(
      `${where}: failed: DeadlineExceeded: Job was active longer than specified deadline; `,
    );
  });

  test('in an earlier run is not waited for', async () => {
    east.api.put(job(limit));
    expect(await problemOf(east.wait([job()]))).toEqual({
      exitCode: 1,
      message:
        `${where}: failed before this run, at 2030-01-01T00:00:00Z: BackoffLimitExceeded: Job has reached the specified backoff limit; ` +
        `fix: correct the cause, ${again()}`,
    });
    expect(east.lines).toEqual([]);
  });

  test('by its deadline is told with what its pod said before that ended it', async () => {
    const startTime = new Date(Date.now() - 599_000).toISOString();
    east.api.put(job({ active: 1, startTime }));
    put({
      status: {
        phase: 'Running',
        containerStatuses: [{ name: 'migrate', state: { running: {} }, ready: true }],
      },
    });
    east.logs(() => ({ status: 200, body: 'row 17 of 1000000\n' }));
    setTimeout(() => {
      east.api.objects.clear();
      const message = 'Job was active longer than specified deadline';
      east.api.put(job(condition('Failed', 'DeadlineExceeded', message)));
    }, 1_200);
    expect(await problemOf(east.wait([job()]))).toEqual({
      exitCode: 1,
      message:
        `${where}: failed: DeadlineExceeded: Job was active longer than specified deadline; ` +
        `fix: make it end within its activeDeadlineSeconds, or raise them, ${again()}\n` +
        '    the log of its last pod ended:\n      row 17 of 1000000',
    });
  });
});

describe('a wait ends early', () => {
  test('for a pod that cannot start', async () => {
    east.api.put(job({ active: 1 }));
    put({ status: { containerStatuses: [waiting('migrate', 'ErrImagePull', 'manifest unknown')] } });
    const it = 'container migrate of Pod shop/migrate-1';
    expect(await problemOf(east.wait([job()]))).toEqual({
      exitCode: 1,
      message:
        `${where}: does not get ready: ${it} cannot pull its image: ErrImagePull: manifest unknown; ` +
        'fix: use an image that exists in the registry, and set imagePullSecrets if it is private, ' +
        `then run the command again; to see more: \`${east.kubectl} describe pod migrate-1\``,
    });
  });

  test('for one whose proxy runs on, and never ends', async () => {
    east.api.put(job({ active: 1 }));
    const running = { name: 'istio-proxy', ready: true, state: { running: {} } };
    put({
      spec: { containers: [{ name: 'migrate' }, { name: 'istio-proxy' }] },
      status: { phase: 'Running', containerStatuses: [ended('migrate', 0, 'Completed'), running] },
    });
    expect(await problemOf(east.wait([job()]))).toEqual({
      exitCode: 1,
      message:
        `${where}: does not get ready: container istio-proxy of Pod shop/migrate-1 runs on though the other containers have ended, as it is no native sidecar: the pod never ends; ` +
        'fix: have the injector of Istio make native sidecars, which it does on Kubernetes 1.29 and newer, ' +
        `then run the command again; to see more: \`${east.kubectl} describe pod migrate-1\``,
    });
  });
});

test('a Job may take as long as it says itself, and a while for its controller', async () => {
  const short = job({ active: 1 }, { activeDeadlineSeconds: 0 });
  east.api.put(short);
  const { message } = await problemOf(east.wait([short], {}, undefined, 300));
  expect(message).toContain(`${where} complete: not reached within 0 s: 0 of 1 done, 1 pod runs`);
});
