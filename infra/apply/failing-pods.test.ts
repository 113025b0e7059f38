import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { awaitReady } from './await-ready.ts';
import { podTimes } from './pod-watch.ts';
import type { PodTimes } from './pod-watch.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { readinessOf } from '../plan/readiness.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { deploymentOf, ended, looping, podOf, replicaSetOf, waiting } from '../testing/pods.ts';
import type { PodState } from '../testing/pods.ts';
import { problemOf } from '../testing/problems.ts';

let api: KubeApi;
let lines: string[];
beforeAll(async () => {
  api = await KubeApi.start('east');
});
afterAll(() => api.stop());
beforeEach(() => {
  lines = [];
});
afterEach(() => {
  api.objects.clear();
  api.requests.length = 0;
  api.intervene = () => undefined;
});

const quick: PodTimes = { ...podTimes, interval: 0, grace: 0, starting: 0, gather: 600 };
const limit = 30_000;
const limits = {
  active: limit,
  established: limit,
  available: limit,
  scheduled: limit,
  address: limit,
  answering: limit,
};
const wait = (objects: readonly KubeObject[], pods: Partial<PodTimes> = {}, available = limit) =>
  awaitReady(api.client, readinessOf(objects), {
    namespaces: [],
    report: (line) => lines.push(line),
    limits: { ...limits, available },
    pods: { ...quick, ...pods },
  });
const containers = (...containerStatuses: object[]): PodState => ({ status: { containerStatuses } });
/** The catalog, with a pod of its last change in this state. */
const store = (state: PodState, name = 'catalog') => {
  api.put(deploymentOf(name));
  api.put(replicaSetOf(name, 2, `rs-${name}`));
  const pod = podOf(`rs-${name}`, state, `${name}-1`);
  api.put({ ...pod, metadata: { ...pod.metadata, labels: { app: name } } });
};
const logs = (answer: (previous: boolean) => { status: number; body: unknown }) => {
  api.intervene = ({ path, query }) =>
    path.endsWith('/log') ? answer(query['previous'] === 'true') : undefined;
};
const event = (reason: string, message: string, fieldPath?: string) => ({
  apiVersion: 'v1',
  kind: 'Event',
  type: 'Warning',
  metadata: { name: `e-${reason}`, namespace: 'shop' },
  involvedObject: { uid: 'uid-catalog-1', ...(fieldPath !== undefined && { fieldPath }) },
  reason,
  message,
  lastTimestamp: '2030-01-01T00:00:00Z',
});
const kubectl = () => `kubectl --kubeconfig ${api.kubeconfig} --context east -n shop`;
const first = 'east: Deployment shop/catalog available: waiting, 0 of 1 replicas available';
const about = 'east: Deployment shop/catalog';
const it = 'container catalog of Pod shop/catalog-1';
const days = 24 * 60 * 60 * 1000;
const yesterday = new Date(Date.now() - days).toISOString();

describe('a wait ends early for a pod that cannot heal', () => {
  test('an image that can never be had', async () => {
    store(containers(waiting('catalog', 'ErrImagePull', 'manifest unknown')));
    expect(await problemOf(wait([deploymentOf()]))).toEqual({
      exitCode: 1,
      message:
        `${about}: does not get ready: ${it} cannot pull its image: ErrImagePull: manifest unknown; ` +
        'fix: name an image that the registry has, and give the nodes the right to pull it (imagePullSecrets), ' +
        `then run the command again; to see more: \`${kubectl()} describe pod catalog-1\``,
    });
    expect(lines).toEqual([first, `${about}: ${it} cannot pull its image: ErrImagePull: manifest unknown`]);
  });

  test('a missing Secret', async () => {
    store(containers(waiting('catalog', 'CreateContainerConfigError', 'secret "db" not found')));
    expect(await problemOf(wait([deploymentOf()]))).toEqual({
      exitCode: 1,
      message:
        `${about}: does not get ready: ${it} cannot be configured: CreateContainerConfigError: secret "db" not found; ` +
        `fix: make what it names, or correct its name, then run the command again; to see more: \`${kubectl()} describe pod catalog-1\``,
    });
  });

  test('a Secret for a volume, which only the events tell of', async () => {
    store({ status: { phase: 'Pending' } });
    api.put(event('FailedMount', 'MountVolume.SetUp failed for volume "v" : secret "db" not found'));
    expect(await problemOf(wait([deploymentOf()]))).toEqual({
      exitCode: 1,
      message:
        `${about}: does not get ready: Pod shop/catalog-1 cannot mount its volumes: FailedMount: MountVolume.SetUp failed for volume "v" : secret "db" not found; ` +
        `fix: make what it names, or correct its name, then run the command again; to see more: \`${kubectl()} describe pod catalog-1\``,
    });
  });

  test('the third restart, with the last lines of the log, harmless to a terminal and cut', async () => {
    store(containers(looping('catalog', 3)));
    const log = [
      ...Array.from({ length: 12 }, (_, index) => `line ${index}`),
      '',
      '\u001b[31mboom\u0007',
      'x'.repeat(400),
    ];
    logs(() => ({ status: 200, body: log.join('\n') }));
    const shown = [
      'line 4',
      'line 5',
      'line 6',
      'line 7',
      'line 8',
      'line 9',
      'line 10',
      'line 11',
      'boom',
      `${'x'.repeat(299)}…`,
    ];
    expect(await problemOf(wait([deploymentOf()]))).toEqual({
      exitCode: 1,
      message: [
        `${about}: does not get ready: ${it} ended with exit code 1, restarted 3 times; fix: mend what its log names, ` +
          `then run the command again; to see more: \`${kubectl()} logs catalog-1 -c catalog\``,
        `    the log of ${it} ends:`,
        ...shown.map((line) => `      ${line}`),
      ].join('\n'),
    });
    const start = `${about}: ${it} ended with exit code 1, restarted 3 times; its log ends: line 11 | boom | `;
    expect(lines).toEqual([first, `${start}${'x'.repeat(399 - (start.length - about.length - 2))}…`]);
    expect(api.requests.filter(({ path }) => path.endsWith('/log')).map(({ query }) => query)).toContainEqual(
      {
        container: 'catalog',
        tailLines: '10',
        limitBytes: '262144',
      },
    );
  });

  test('all workloads that do not start are told, not only the first', async () => {
    store(containers(waiting('catalog', 'InvalidImageName', 'bad')));
    store(containers(ended('orders', 1)), 'orders');
    store({}, 'edge');
    logs(() => ({ status: 200, body: 'no configuration' }));
    const work = wait([deploymentOf(), deploymentOf('orders'), deploymentOf('edge')]);
    expect((await problemOf(work)).message.split('\n')).toEqual([
      `${about}: does not get ready: ${it} has an image whose name is invalid: InvalidImageName: bad; ` +
        `fix: correct the image's name, then run the command again; to see more: \`${kubectl()} describe pod catalog-1\``,
      'east: Deployment shop/orders: does not get ready: container orders of Pod shop/orders-1 ended with exit code 1; ' +
        `fix: mend what its log names, then run the command again; to see more: \`${kubectl()} logs orders-1 -c orders\``,
      '    the log of container orders of Pod shop/orders-1 ends:',
      '      no configuration',
    ]);
  });

  test('pods of one template are told of once', async () => {
    store(
      containers(
        waiting('catalog', 'InvalidImageName', 'bad'),
        waiting('proxy', 'InvalidImageName', 'worse'),
      ),
    );
    api.put(podOf('rs-catalog', containers(waiting('catalog', 'InvalidImageName', 'bad')), 'catalog-2'));
    const { message } = await problemOf(wait([deploymentOf()]));
    expect(message).toBe(
      `${about}: does not get ready: ${it} has an image whose name is invalid: InvalidImageName: bad; ` +
        'container proxy of Pod shop/catalog-1 has an image whose name is invalid: InvalidImageName: worse; ' +
        `fix: correct the image's name, then run the command again; to see more: \`${kubectl()} describe pod catalog-1\``,
    );
  });
});

describe('a pod that may heal is told at once', () => {
  test('a pull that backs off is waited for, but not for ever', async () => {
    store(containers(waiting('catalog', 'ImagePullBackOff', 'dial tcp: no such host')));
    const { message } = await problemOf(wait([deploymentOf()], { hardly: 900 }));
    expect(message).toBe(
      `${about}: does not get ready: ${it} cannot pull its image: ImagePullBackOff: dial tcp: no such host; ` +
        'fix: make the registry answer the nodes, or bring the image to them, then run the command again; ' +
        `to see more: \`${kubectl()} describe pod catalog-1\``,
    );
    expect(lines).toEqual([
      first,
      `${about}: ${it} cannot pull its image: ImagePullBackOff: dial tcp: no such host`,
    ]);
  });

  test('and the wait ends well when it heals', async () => {
    store(containers(waiting('catalog', 'ImagePullBackOff', 'dial tcp: no such host')));
    const work = awaitReady(api.client, readinessOf([deploymentOf()]), {
      namespaces: [],
      report: (line) => {
        lines.push(line);
        if (line.includes('no such host')) api.put(deploymentOf('catalog', { availableReplicas: 1 }));
      },
      pods: quick,
    });
    await work;
    expect(lines).toHaveLength(2);
  });

  test('a failing probe, and a crash that is restarting, until the limit', async () => {
    const made = { type: 'PodReadyToStartContainers', status: 'True' };
    const running = { name: 'catalog', ready: false, restartCount: 0, state: { running: {} } };
    store({ status: { conditions: [made], containerStatuses: [running] } });
    api.put(event('FailedMount', 'secret "db" not found'));
    api.put(event('Unhealthy', 'Startup probe failed: connection refused', 'spec.containers{catalog}'));
    logs(() => ({ status: 200, body: '' }));
    const { message } = await problemOf(wait([deploymentOf()], {}, 600));
    expect(message.split('\n')).toEqual([
      `${about}: does not get ready: ${it} is not ready: Unhealthy: Startup probe failed: connection refused; ` +
        `fix: mend what its log names, or correct the probe, then run the command again; to see more: \`${kubectl()} logs catalog-1 -c catalog\``,
      `    the log of ${it} ends:`,
      '      (it is empty)',
    ]);
  });

  test('a pod that nothing has been said of for some seconds only starts', async () => {
    store({ status: { containerStatuses: [{ name: 'catalog', ready: false, state: { running: {} } }] } });
    api.put(event('Unhealthy', 'Startup probe failed', 'spec.containers{catalog}'));
    const { message } = await problemOf(wait([deploymentOf()], { starting: 60_000 }, 600));
    expect(lines).toEqual([first]);
    expect(message).toBe(
      'east: Deployment shop/catalog available: not reached within 1 s: 0 of 1 replicas available; fix: look at ' +
        'Deployment shop/catalog in east; Pod shop/catalog-1, event Unhealthy: Startup probe failed, then run the command again',
    );
  });

  test('no pod can be made at all', async () => {
    const message = 'pods "catalog-1" is forbidden: violates PodSecurity "restricted:latest"';
    const conditions = [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }];
    api.put(deploymentOf('catalog', { updatedReplicas: 0, conditions }));
    expect((await problemOf(wait([deploymentOf()], { hardly: 400 }))).message).toBe(
      `${about}: does not get ready: it gets no pods: ${message}; fix: declare pods that the cluster admits, then run the command again; ` +
        `to see more: \`${kubectl()} describe deployment catalog\``,
    );
  });
});

describe('what an earlier run has left', () => {
  test('pods of an earlier change say nothing', async () => {
    store(containers());
    api.put(replicaSetOf('catalog', 1, 'rs-old'));
    api.put(podOf('rs-old', containers(waiting('catalog', 'InvalidImageName')), 'catalog-old'));
    const { message } = await problemOf(wait([deploymentOf()], {}, 600));
    expect(message).not.toContain('catalog-old');
    expect(lines).toEqual([first]);
  });

  test('nor do restarts of a pod that has long been running', async () => {
    const restarted = { restartCount: 7, lastState: { terminated: { exitCode: 1 } } };
    const running = { name: 'catalog', ready: true, state: { running: {} }, ...restarted };
    store({ created: yesterday, ...containers(running) });
    expect((await problemOf(wait([deploymentOf()], {}, 600))).message).toBe(
      'east: Deployment shop/catalog available: not reached within 1 s: 0 of 1 replicas available; fix: look at ' +
        'Deployment shop/catalog in east; Pod shop/catalog-1, then run the command again',
    );
    expect(lines).toEqual([first]);
  });

  test('what a pod of this change waits for may just have been mended: it gets the time of a pull', async () => {
    store({ created: yesterday, ...containers(waiting('catalog', 'ErrImagePull', 'manifest unknown')) });
    const looks = () => api.requests.filter(({ path }) => path.endsWith('/pods')).length;
    await problemOf(wait([deploymentOf()], { hardly: 900 }));
    expect(looks()).toBeGreaterThanOrEqual(2);
  });

  test('a container that was looping gets one more try', async () => {
    store({ created: yesterday, ...containers(looping('catalog', 7)) });
    logs(() => ({ status: 200, body: 'boom' }));
    const work = awaitReady(api.client, readinessOf([deploymentOf()]), {
      namespaces: [],
      report: (line) => {
        lines.push(line);
        if (!line.includes('7 times')) return;
        api.put(podOf('rs-catalog', { created: yesterday, ...containers(looping('catalog', 8)) }));
      },
      pods: quick,
    });
    expect((await problemOf(work)).message).toContain('ended with exit code 1, restarted 8 times');
  });
});

describe('what may not be read is said, and nothing more', () => {
  const forbidden = { status: 403, body: { message: 'User "u" cannot get resource "pods/log"' } };

  test('logs', async () => {
    store(containers(looping('catalog', 3)));
    logs(() => forbidden);
    const { message } = await problemOf(wait([deploymentOf()]));
    expect(message.split('\n').slice(1)).toEqual([
      `    the log of ${it} ends:`,
      '      (it cannot be read: User "u" cannot get resource "pods/log")',
    ]);
  });

  test('a log that is gone: what runs now has one', async () => {
    store(containers({ ...looping('catalog', 3), state: { running: {} } }));
    logs((previous) =>
      previous
        ? { status: 400, body: { message: 'previous terminated container not found' } }
        : { status: 200, body: 'the second try' },
    );
    const { message } = await problemOf(wait([deploymentOf()]));
    expect(message.split('\n').slice(1)).toEqual([`    the log of ${it} ends:`, '      the second try']);
  });

  test('events', async () => {
    store({ status: { phase: 'Pending' } });
    api.intervene = ({ path }) => (path.endsWith('/events') ? forbidden : undefined);
    const work = awaitReady(api.client, readinessOf([deploymentOf()]), {
      namespaces: [],
      report: (line) => {
        lines.push(line);
        if (line.includes('events')) api.put(deploymentOf('catalog', { availableReplicas: 1 }));
      },
      pods: quick,
    });
    await work;
    expect(lines).toEqual([
      first,
      `${about}: Pod shop/catalog-1 is not ready, and its events cannot be read: cluster east: its API server refused GET /api/v1/namespaces/shop/events: User "u" cannot get resource "pods/log"`,
    ]);
  });

  test('pods', async () => {
    store({});
    api.intervene = ({ path }) => (path.endsWith('/pods') ? forbidden : undefined);
    await problemOf(wait([deploymentOf()], {}, 600));
    expect(lines).toEqual([
      first,
      `${about}: its pods cannot be looked at: cluster east: its API server refused GET /api/v1/namespaces/shop/pods: User "u" cannot get resource "pods/log"`,
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
    api.put({ ...pod, metadata: { ...pod.metadata, labels } });
  };
  api.put(daemonSet);
  generation('1', 'old', containers(waiting('cni', 'InvalidImageName', 'old')));
  generation('2', 'new', containers(waiting('cni', 'InvalidImageName', 'new')));
  expect((await problemOf(wait([daemonSet]))).message).toBe(
    'east: DaemonSet shop/cni: does not get ready: container cni of Pod shop/new has an image whose name is invalid: InvalidImageName: new; ' +
      `fix: correct the image's name, then run the command again; to see more: \`${kubectl()} describe pod new\``,
  );
});
