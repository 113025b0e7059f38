import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Awaited } from '../testing/awaited.ts';
import { deploymentOf, looping, podOf, replicaSetOf, waiting } from '../testing/pods.ts';
import type { PodState } from '../testing/pods.ts';
import { problemOf } from '../testing/problems.ts';

let east: Awaited;
beforeAll(async () => {
  east = await Awaited.start();
});
afterAll(() => east.api.stop());
afterEach(() => {
  east.reset();
});

const containers = (...containerStatuses: object[]): PodState => ({ status: { containerStatuses } });
const first = 'east: Deployment shop/catalog available: waiting, 0 of 1 replicas available';
const about = 'east: Deployment shop/catalog';
const it = 'container catalog of Pod shop/catalog-1';
const yesterday = new Date(Date.now() - 24 * 60 * 60 * 1000).toISOString();

describe('what an earlier run has left', () => {
  test('pods of an earlier change say nothing', async () => {
    east.store(containers());
    east.api.put(replicaSetOf('catalog', 1, 'rs-old'));
    east.api.put(podOf('rs-old', containers(waiting('catalog', 'InvalidImageName')), 'catalog-old'));
    const { message } = await problemOf(east.wait([deploymentOf()], {}, 600));
    expect(message).not.toContain('catalog-old');
    expect(east.lines).toEqual([first]);
  });

  test('nor do restarts of a pod that has long been running', async () => {
    const restarted = { restartCount: 7, lastState: { terminated: { exitCode: 1 } } };
    const running = { name: 'catalog', ready: true, state: { running: {} }, ...restarted };
    east.store({ created: yesterday, ...containers(running) });
    expect((await problemOf(east.wait([deploymentOf()], {}, 600))).message).toBe(
      'east: Deployment shop/catalog available: not reached within 1 s: 0 of 1 replicas available; fix: look at ' +
        'Deployment shop/catalog in east; Pod shop/catalog-1, then run the command again',
    );
    expect(east.lines).toEqual([first]);
  });

  test('what a pod of this change waits for may just have been mended: it gets the time of a pull', async () => {
    east.store({ created: yesterday, ...containers(waiting('catalog', 'ErrImagePull', 'manifest unknown')) });
    await problemOf(east.wait([deploymentOf()], { hardly: 900 }));
    expect(looks()).toBeGreaterThanOrEqual(2);
  });

  test('a container that was looping gets one more try', async () => {
    east.store({ created: yesterday, ...containers(looping('catalog', 7)) });
    east.logs(() => ({ status: 200, body: 'boom' }));
    east.onLine = (line) => {
      if (!line.includes('7 times')) return;
      east.api.put(podOf('rs-catalog', { created: yesterday, ...containers(looping('catalog', 8)) }));
    };
    expect((await problemOf(east.wait())).message).toContain('ended with exit code 1, restarted 8 times');
  });
});

const looks = () => east.api.requests.filter(({ path }) => path.endsWith('/pods')).length;

test('an image that is not there ends the wait at the first look, though other trouble has a grace', async () => {
  east.store(containers(waiting('catalog', 'ErrImagePull', 'manifest unknown')));
  await problemOf(east.wait([deploymentOf()], { grace: 60_000 }, 1_000));
  expect(looks()).toBe(1);
});

test('a Secret that is not there may be about to be made: the wait goes on', async () => {
  east.store(containers(waiting('catalog', 'CreateContainerConfigError', 'secret "a" not found')));
  await problemOf(east.wait([deploymentOf()], { grace: 60_000 }, 1_000));
  expect(looks()).toBeGreaterThanOrEqual(2);
});

describe('what may not be read is said, and nothing more', () => {
  const forbidden = { status: 403, body: { message: 'User "u" cannot get resource "pods/log"' } };

  test('logs', async () => {
    east.store(containers(looping('catalog', 3)));
    east.logs(() => forbidden);
    const { message } = await problemOf(east.wait());
    expect(message.split('\n').slice(1)).toEqual([
      `    the log of ${it} ends:`,
      '      (it cannot be read: User "u" cannot get resource "pods/log")',
    ]);
  });

  test('a log that is gone: what runs now has one', async () => {
    east.store(containers({ ...looping('catalog', 3), state: { running: {} } }));
    east.logs((previous) =>
      previous
        ? { status: 400, body: { message: 'previous terminated container not found' } }
        : { status: 200, body: 'the second try' },
    );
    const { message } = await problemOf(east.wait());
    expect(message.split('\n').slice(1)).toEqual([`    the log of ${it} ends:`, '      the second try']);
  });

  test('events', async () => {
    east.store({ status: { phase: 'Pending' } });
    east.api.intervene = ({ path }) => (path.endsWith('/events') ? forbidden : undefined);
    east.onLine = (line) => {
      if (line.includes('events')) east.api.put(deploymentOf('catalog', { availableReplicas: 1 }));
    };
    await east.wait();
    expect(east.lines).toEqual([
      first,
      `${about}: Pod shop/catalog-1 is not ready, and its events cannot be read: cluster east: its API server refused GET /api/v1/namespaces/shop/events: User "u" cannot get resource "pods/log"`,
    ]);
  });

  test('pods', async () => {
    east.store({});
    east.api.intervene = ({ path }) => (path.endsWith('/pods') ? forbidden : undefined);
    await problemOf(east.wait([deploymentOf()], {}, 600));
    expect(east.lines).toEqual([
      first,
      `${about}: its pods cannot be read: cluster east: its API server refused GET /api/v1/namespaces/shop/pods: User "u" cannot get resource "pods/log"`,
    ]);
  });
});

test("a DaemonSet's pods of the present template are watched alike", async () => {
  const daemonSet = {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: {
      name: 'cni',
      namespace: 'shop',
      uid: 'uid-cni',
      generation: 1,
      annotations: { 'deprecated.daemonset.template.generation': '2' },
    },
    spec: { selector: { matchLabels: { app: 'catalog' } } },
    status: { observedGeneration: 1, desiredNumberScheduled: 1, updatedNumberScheduled: 1 },
  };
  const generation = (of: string, name: string, state: PodState) => {
    const pod = podOf('uid-cni', state, name);
    const labels = { app: 'catalog', 'pod-template-generation': of };
    east.api.put({ ...pod, metadata: { ...pod.metadata, labels } });
  };
  east.api.put(daemonSet);
  generation('1', 'old', containers(waiting('cni', 'InvalidImageName', 'old')));
  generation('2', 'new', containers(waiting('cni', 'InvalidImageName', 'new')));
  expect((await problemOf(east.wait([daemonSet]))).message).toBe(
    'east: DaemonSet shop/cni: does not get ready: container cni of Pod shop/new has an image whose name is invalid: InvalidImageName: new; ' +
      `fix: correct the image's name, then run the command again; to see more: \`${east.kubectl} describe pod new\``,
  );
});
