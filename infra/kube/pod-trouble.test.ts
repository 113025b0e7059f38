import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { ended, looping, podOf, waiting } from '../testing/pods.ts';
import type { PodState } from '../testing/pods.ts';
import { subjectOf, troublesOf } from './pod-trouble.ts';

const told = (state: PodState) =>
  troublesOf(podOf('rs', state)).map((trouble) => ({
    line: `${subjectOf(trouble)} ${trouble.what}`,
    outlook: trouble.outlook,
    log: trouble.log ?? null,
  }));
const container = (status: object) => ({ status: { containerStatuses: [status] } });
const it = 'container c of Pod shop/catalog-1';
const notFound = 'failed to resolve reference "r/x:1": r/x:1: not found';

describe('a pod that does not start', () => {
  test.each<[string, PodState, string, string, string | null]>([
    [
      'an image that there is not',
      container(waiting('c', 'ErrImagePull', notFound)),
      `${it} cannot pull its image: ErrImagePull: ${notFound}`,
      'never',
      null,
    ],
    [
      'a pull that backs off',
      container(waiting('c', 'ImagePullBackOff', 'Back-off pulling image "r/x:1": dial tcp: i/o timeout')),
      `${it} cannot pull its image: ImagePullBackOff: Back-off pulling image "r/x:1": dial tcp: i/o timeout`,
      'hardly',
      null,
    ],
    [
      'an invalid image name',
      container(waiting('c', 'InvalidImageName', 'couldn\'t parse image name "X:1": must be lowercase')),
      `${it} has an image whose name is invalid: InvalidImageName: couldn't parse image name "X:1": must be lowercase`,
      'never',
      null,
    ],
    [
      'an image that must not be pulled',
      container(waiting('c', 'ErrImageNeverPull', 'image "x:1" is not present with pull policy of Never')),
      `${it} needs an image that is not on its node, and imagePullPolicy forbids a pull: ErrImageNeverPull: image "x:1" is not present with pull policy of Never`,
      'never',
      null,
    ],
    [
      'a missing Secret',
      container(waiting('c', 'CreateContainerConfigError', 'secret "db" not found')),
      `${it} cannot be configured: CreateContainerConfigError: secret "db" not found`,
      'never',
      null,
    ],
    [
      'a missing key',
      container(waiting('c', 'CreateContainerConfigError', "couldn't find key p in Secret shop/db")),
      `${it} cannot be configured: CreateContainerConfigError: couldn't find key p in Secret shop/db`,
      'never',
      null,
    ],
    [
      'a Secret that the node has not read yet',
      container(waiting('c', 'CreateContainerConfigError', 'failed to sync secret cache: timed out')),
      `${it} cannot be configured: CreateContainerConfigError: failed to sync secret cache: timed out`,
      'hardly',
      null,
    ],
    [
      'a container that cannot be made',
      container(waiting('c', 'CreateContainerError', 'context deadline exceeded')),
      `${it} cannot be started: CreateContainerError: context deadline exceeded`,
      'hardly',
      null,
    ],
    [
      'what no version of Kubernetes says yet',
      container(waiting('c', 'SomethingNew', 'who knows')),
      `${it} cannot be started: SomethingNew: who knows`,
      'maybe',
      null,
    ],
    [
      'a crash loop',
      container(looping('c', 2)),
      `${it} ended with exit code 1, restarted 2 times`,
      'maybe',
      'current',
    ],
    ['a first end', container(ended('c', 3)), `${it} ended with exit code 3`, 'maybe', 'current'],
    [
      'an end without an error, of what should run on',
      container(ended('c', 0, 'Completed')),
      `${it} ended with exit code 0`,
      'maybe',
      'current',
    ],
    [
      'a restart that runs, and is not ready',
      container({
        ...looping('c', 1),
        state: { running: {} },
      }),
      `${it} ended with exit code 1, restarted once`,
      'maybe',
      'previous',
    ],
    [
      'too little memory',
      {
        spec: { containers: [{ name: 'c', resources: { limits: { memory: '64Mi' } } }] },
        ...container(ended('c', 137, 'OOMKilled', { restartCount: 1 })),
      },
      `${it} ran out of memory at its limit of 64Mi and was killed (OOMKilled), restarted once`,
      'maybe',
      'current',
    ],
    [
      'a program that is not there',
      container({
        name: 'c',
        restartCount: 0,
        state: { terminated: { exitCode: 128, reason: 'StartError', message: 'exec: "nope": not in $PATH' } },
      }),
      `${it} cannot be started: StartError: exec: "nope": not in $PATH`,
      'maybe',
      'current',
    ],
    [
      'an init container',
      {
        status: {
          initContainerStatuses: [ended('c', 2)],
          containerStatuses: [waiting('d', 'PodInitializing')],
        },
      },
      `${it} ended with exit code 2`,
      'maybe',
      'current',
    ],
    [
      'a sidecar',
      {
        status: {
          initContainerStatuses: [waiting('c', 'ImagePullBackOff', 'manifest unknown')],
          containerStatuses: [waiting('d', 'PodInitializing')],
        },
      },
      `${it} cannot pull its image: ImagePullBackOff: manifest unknown`,
      'never',
      null,
    ],
    [
      'no node',
      {
        status: {
          phase: 'Pending',
          conditions: [
            {
              type: 'PodScheduled',
              status: 'False',
              reason: 'Unschedulable',
              message: '0/1 nodes are available: 1 Insufficient memory.',
            },
          ],
        },
      },
      'Pod shop/catalog-1 cannot be scheduled: Unschedulable: 0/1 nodes are available: 1 Insufficient memory.',
      'maybe',
      null,
    ],
    [
      'an eviction',
      { status: { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' } },
      'Pod shop/catalog-1 was terminated by the cluster: Evicted: The node was low on resource: memory.',
      'maybe',
      null,
    ],
  ])('%s', (_, state, line, outlook, log) => {
    expect(told(state)).toEqual([{ line, outlook, log }]);
  });

  test('tells first what cannot heal', () => {
    const statuses = [
      looping('a', 2),
      waiting('c', 'InvalidImageName', 'no'),
      waiting('d', 'ContainerCreating'),
    ];
    expect(told({ status: { containerStatuses: statuses } }).map(({ outlook }) => outlook)).toEqual([
      'never',
      'maybe',
    ]);
  });

  test.each<[string, PodState]>([
    ['that is new', {}],
    ['that is being made', container(waiting('c', 'ContainerCreating'))],
    ['that runs', container({ name: 'c', ready: true, restartCount: 4, state: { running: {} } })],
    ['that starts', container({ name: 'c', ready: false, restartCount: 0, state: { running: {} } })],
    [
      'with init containers that are done, and a sidecar that runs',
      {
        status: {
          initContainerStatuses: [
            ended('i', 0, 'Completed'),
            { name: 's', ready: false, started: true, restartCount: 1, state: { running: {} } },
          ],
        },
      },
    ],
  ])('nothing is told of one %s', (_, state) => {
    expect(told(state)).toEqual([]);
  });

  test('whatever its status says, it is told in lines of bounded length', () => {
    const word = fc.oneof(
      fc.constantFrom(
        'ErrImagePull',
        'CrashLoopBackOff',
        'OOMKilled',
        'StartError',
        'InvalidImageName',
        'Error',
      ),
      fc.string({ unit: 'binary', maxLength: 2_000 }),
    );
    const state = fc.record(
      {
        waiting: fc.record({ reason: word, message: word }, { requiredKeys: [] }),
        running: fc.object(),
        terminated: fc.record(
          { reason: word, message: word, exitCode: fc.oneof(fc.integer(), fc.anything()) },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: [] },
    );
    const status = fc.record(
      {
        name: fc.constant('c'),
        image: word,
        ready: fc.boolean(),
        started: fc.boolean(),
        restartCount: fc.oneof(fc.nat(), fc.anything()),
        state,
        lastState: state,
      },
      { requiredKeys: [] },
    );
    const condition = fc.record(
      {
        type: fc.constantFrom('PodScheduled', 'Ready'),
        status: fc.constantFrom('True', 'False'),
        reason: word,
        message: word,
      },
      { requiredKeys: ['type'] },
    );
    const pod = fc.record(
      {
        phase: fc.constantFrom('Pending', 'Running', 'Failed'),
        reason: word,
        message: word,
        conditions: fc.oneof(fc.array(condition), fc.anything()),
        initContainerStatuses: fc.oneof(fc.array(status), fc.anything()),
        containerStatuses: fc.oneof(fc.array(status), fc.anything()),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(pod, (status) => {
        for (const { line } of told({ status })) {
          expect(line.length).toBeLessThan(700);
          expect(line).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
        }
      }),
      { numRuns: 500 },
    );
  });
});

test.each([
  ['0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.', 'StorageClass'],
  ['0/1 nodes are available: persistentvolumeclaim "data-redis-0" not found.', 'StorageClass'],
  ['0/2 nodes are available: 2 node(s) had volume node affinity conflict.', 'StorageClass'],
  ["0/1 nodes are available: 1 node(s) didn't find available persistent volumes to bind.", 'StorageClass'],
  ['0/1 nodes are available: 1 Insufficient memory.', 'node'],
])('a pod that has no node is told what it lacks: %s', (message, lacking) => {
  const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }];
  const [trouble] = troublesOf(podOf('rs', { status: { phase: 'Pending', conditions } }));
  const fixes = {
    StorageClass: 'give the cluster a StorageClass that makes such volumes, or name one that does',
    node: 'give the cluster a node with enough room on which this pod may run',
  };
  expect(trouble?.fix).toBe(fixes[lacking as keyof typeof fixes]);
});
