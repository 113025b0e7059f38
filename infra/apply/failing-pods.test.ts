import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Awaited } from '../testing/awaited.ts';
import { deploymentOf, ended, looping, podOf, waiting } from '../testing/pods.ts';
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

describe('a wait ends early for a pod that cannot heal', () => {
  test('an image that can never be had', async () => {
    east.store(containers(waiting('catalog', 'ErrImagePull', 'manifest unknown')));
    expect(await problemOf(east.wait())).toEqual({
      exitCode: 1,
      message:
        `${about}: does not get ready: ${it} cannot pull its image: ErrImagePull: manifest unknown; ` +
        'fix: use an image that exists in the registry, and set imagePullSecrets if it is private, ' +
        `then run the command again; to see more: \`${east.kubectl} describe pod catalog-1\``,
    });
    expect(east.lines).toEqual([
      first,
      `${about}: ${it} cannot pull its image: ErrImagePull: manifest unknown`,
    ]);
  });

  test('a missing Secret', async () => {
    east.store(containers(waiting('catalog', 'CreateContainerConfigError', 'secret "db" not found')));
    expect(await problemOf(east.wait())).toEqual({
      exitCode: 1,
      message:
        `${about}: does not get ready: ${it} cannot be configured: CreateContainerConfigError: secret "db" not found; ` +
        `fix: create what the message names, or correct the name, then run the command again; to see more: \`${east.kubectl} describe pod catalog-1\``,
    });
  });

  test('a Secret for a volume, which only the events tell of', async () => {
    east.store({ status: { phase: 'Pending' } });
    east.warn('FailedMount', 'MountVolume.SetUp failed for volume "v" : secret "db" not found');
    expect(await problemOf(east.wait())).toEqual({
      exitCode: 1,
      message:
        `${about}: does not get ready: Pod shop/catalog-1 cannot mount its volumes: FailedMount: MountVolume.SetUp failed for volume "v" : secret "db" not found; ` +
        `fix: create what the message names, or correct the name, then run the command again; to see more: \`${east.kubectl} describe pod catalog-1\``,
    });
  });

  test('the third restart, with the last east.lines of the log, harmless to a terminal and cut', async () => {
    east.store(containers(looping('catalog', 3)));
    const log = [
      ...Array.from({ length: 12 }, (_, index) => `line ${index}`),
      '',
      '\u001b[31mboom\u0007',
      'x'.repeat(400),
    ];
    east.logs(() => ({ status: 200, body: log.join('\n') }));
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
    expect(await problemOf(east.wait())).toEqual({
      exitCode: 1,
      message: [
        `${about}: does not get ready: ${it} ended with exit code 1, restarted 3 times; fix: correct the error in its log, ` +
          `then run the command again; to see more: \`${east.kubectl} logs catalog-1 -c catalog\``,
        `    the log of ${it} ends:`,
        ...shown.map((line) => `      ${line}`),
      ].join('\n'),
    });
    const start = `${about}: ${it} ended with exit code 1, restarted 3 times; its log ends: line 11 | boom | `;
    expect(east.lines).toEqual([first, `${start}${'x'.repeat(399 - (start.length - about.length - 2))}…`]);
    expect(
      east.api.requests.filter(({ path }) => path.endsWith('/log')).map(({ query }) => query),
    ).toContainEqual({
      container: 'catalog',
      tailLines: '10',
      limitBytes: '262144',
    });
  });

  test('a container that is killed for its probe: neither its exit code nor its log says so', async () => {
    east.store(containers(looping('catalog', 3)));
    east.logs(() => ({ status: 200, body: 'still warming up' }));
    east.warn('Killing', 'Container catalog failed startup probe, will be restarted', { type: 'Normal' });
    expect((await problemOf(east.wait())).message.split('; ')[0]).toBe(
      `${about}: does not get ready: ${it} ended with exit code 1, restarted 3 times, killed as its startup probe failed`,
    );
  });

  test('all workloads that do not start are told, not only the first', async () => {
    east.store(containers(waiting('catalog', 'InvalidImageName', 'bad')));
    east.store(containers(ended('orders', 1)), 'orders');
    east.store({}, 'edge');
    east.logs(() => ({ status: 200, body: 'no configuration' }));
    const work = east.wait([deploymentOf(), deploymentOf('orders'), deploymentOf('edge')]);
    expect((await problemOf(work)).message.split('\n')).toEqual([
      `${about}: does not get ready: ${it} has an image whose name is invalid: InvalidImageName: bad; ` +
        `fix: correct the image's name, then run the command again; to see more: \`${east.kubectl} describe pod catalog-1\``,
      'east: Deployment shop/orders: does not get ready: container orders of Pod shop/orders-1 ended with exit code 1; ' +
        `fix: correct the error in its log, then run the command again; to see more: \`${east.kubectl} logs orders-1 -c orders\``,
      '    the log of container orders of Pod shop/orders-1 ends:',
      '      no configuration',
    ]);
  });

  test('pods of one template are told of once', async () => {
    east.store(
      containers(
        waiting('catalog', 'InvalidImageName', 'bad'),
        waiting('proxy', 'InvalidImageName', 'worse'),
      ),
    );
    east.api.put(podOf('rs-catalog', containers(waiting('catalog', 'InvalidImageName', 'bad')), 'catalog-2'));
    const { message } = await problemOf(east.wait());
    expect(message).toBe(
      `${about}: does not get ready: ${it} has an image whose name is invalid: InvalidImageName: bad; ` +
        'container proxy of Pod shop/catalog-1 has an image whose name is invalid: InvalidImageName: worse; ' +
        `fix: correct the image's name, then run the command again; to see more: \`${east.kubectl} describe pod catalog-1\``,
    );
  });
});

describe('a pod that may heal is told at once', () => {
  test('a pull that backs off is waited for, but not for ever', async () => {
    east.store(containers(waiting('catalog', 'ImagePullBackOff', 'dial tcp: no such host')));
    const { message } = await problemOf(east.wait([deploymentOf()], { hardly: 900 }));
    expect(message).toBe(
      `${about}: does not get ready: ${it} cannot pull its image: ImagePullBackOff: dial tcp: no such host; ` +
        'fix: make the registry reachable from the nodes, or load the image onto them, then run the command again; ' +
        `to see more: \`${east.kubectl} describe pod catalog-1\``,
    );
    expect(east.lines).toEqual([
      first,
      `${about}: ${it} cannot pull its image: ImagePullBackOff: dial tcp: no such host`,
    ]);
  });

  test('and the wait ends well when it heals', async () => {
    east.store(containers(waiting('catalog', 'ImagePullBackOff', 'dial tcp: no such host')));
    east.onLine = (line) => {
      if (line.includes('no such host')) east.api.put(deploymentOf('catalog', { availableReplicas: 1 }));
    };
    await east.wait();
    expect(east.lines).toHaveLength(2);
  });

  test('a failing probe, and a crash that is restarting, until the limit', async () => {
    const made = { type: 'PodReadyToStartContainers', status: 'True' };
    const running = { name: 'catalog', ready: false, restartCount: 0, state: { running: {} } };
    east.store({ status: { conditions: [made], containerStatuses: [running] } });
    east.warn('FailedMount', 'secret "db" not found');
    east.warn('Unhealthy', 'Startup probe failed: connection refused', {}, 'spec.containers{catalog}');
    east.logs(() => ({ status: 200, body: '' }));
    const { message } = await problemOf(east.wait([deploymentOf()], {}, 600));
    expect(message.split('\n')).toEqual([
      `${about}: does not get ready: ${it} is not ready: Unhealthy: Startup probe failed: connection refused; ` +
        `fix: correct the error in its log, or its readiness probe, then run the command again; to see more: \`${east.kubectl} logs catalog-1 -c catalog\``,
      `    the log of ${it} ends:`,
      '      (it is empty)',
    ]);
  });

  test('a pod that nothing has been said of for some seconds only starts', async () => {
    east.store({
      status: { containerStatuses: [{ name: 'catalog', ready: false, state: { running: {} } }] },
    });
    east.warn('Unhealthy', 'Startup probe failed', {}, 'spec.containers{catalog}');
    const { message } = await problemOf(east.wait([deploymentOf()], { starting: 60_000 }, 600));
    expect(east.lines).toEqual([first]);
    expect(message).toBe(
      'east: Deployment shop/catalog available: not reached within 1 s: 0 of 1 replicas available; fix: look at ' +
        'Deployment shop/catalog in east; Pod shop/catalog-1, event Unhealthy: Startup probe failed, then run the command again',
    );
  });

  test('no pod can be made at all', async () => {
    const message = 'pods "catalog-1" is forbidden: violates PodSecurity "restricted:latest"';
    const conditions = [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }];
    east.api.put(deploymentOf('catalog', { updatedReplicas: 0, conditions }));
    expect((await problemOf(east.wait([deploymentOf()], { hardly: 400 }))).message).toBe(
      `${about}: does not get ready: it gets no pods: ${message}; fix: declare pods that the cluster admits, then run the command again; ` +
        `to see more: \`${east.kubectl} describe deployment catalog\``,
    );
  });
});
