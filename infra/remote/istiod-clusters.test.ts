import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { istiodLog, lastWatchError, parseClusterz, readClusters } from './istiod-clusters.ts';
import { addControlPlane } from '../testing/control-plane.ts';
import type { ControlPlane } from '../testing/control-plane.ts';
import { KubeApi } from '../testing/kube-api.ts';

describe('parseClusterz', () => {
  test('reads what an istiod answers', () => {
    const answer =
      '[{"id":"east","secretName":"","syncStatus":"synced"},{"id":"west","secretName":"istio-system/istio-remote-secret-west","syncStatus":"timeout"}]';
    expect(parseClusterz(answer)).toEqual(
      new Map([
        ['east', 'synced'],
        ['west', 'timeout'],
      ]),
    );
  });

  test('finds again every list of clusters', () => {
    const entry = fc.record({
      id: fc.string(),
      secretName: fc.string(),
      syncStatus: fc.constantFrom('synced', 'syncing', 'timeout', 'closed'),
    });
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: ({ id }) => id }), (clusters) => {
        const parsed = parseClusterz(JSON.stringify(clusters));
        expect([...(parsed ?? [])]).toEqual(clusters.map(({ id, syncStatus }) => [id, syncStatus]));
      }),
    );
  });

  test('has nothing for any other text, and never throws', () => {
    for (const text of ['', 'null', '{}', '[{"id":"west"}]', '[{"id":"west","syncStatus":"done"}]'])
      expect(parseClusterz(text)).toBeUndefined();
    fc.assert(
      fc.property(fc.string(), (text) => {
        parseClusterz(text);
      }),
    );
  });
});

test('lastWatchError is the last reason given for that cluster', () => {
  const log = [
    '2026-11-23T00:00:25.8Z\terror\twatch error in cluster west: failed to list *v1.Node: Unauthorized',
    '2026-11-23T00:00:26.8Z\terror\twatch error in cluster west: failed to list *v1.Pod: dial tcp 10.0.0.9:6443: i/o timeout ',
    '2026-11-23T00:00:27.8Z\terror\twatch error in cluster west2: failed to list *v1.Pod: Forbidden',
    '2026-11-23T00:00:28.8Z\tinfo\tads\tpush',
  ].join('\n');
  expect(lastWatchError(log, 'west')).toBe('failed to list *v1.Pod: dial tcp 10.0.0.9:6443: i/o timeout');
  expect(lastWatchError(log, 'north')).toBeUndefined();
});

describe('readClusters', () => {
  let east: KubeApi;
  let plane: ControlPlane;
  beforeAll(async () => {
    east = await KubeApi.start('east');
  });
  afterAll(() => east.stop());
  beforeEach(() => {
    east.objects.clear();
    plane = addControlPlane(east, ['istiod-a', 'istiod-canary-b']);
    east.put({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 'istio-remote-secret-west',
        namespace: 'istio-system',
        labels: { 'istio/multiCluster': 'true' },
        annotations: { 'networking.istio.io/cluster': 'west' },
      },
    });
  });
  const read = () => readClusters(east.client, 'istio-system', ['west']);

  test('asks every istiod, of whichever revision', async () => {
    expect([...(await read())]).toEqual([
      [
        'west',
        [
          { pod: 'istiod-a', status: 'synced' },
          { pod: 'istiod-canary-b', status: 'synced' },
        ],
      ],
    ]);
  });

  test('tells why nothing is known', async () => {
    const because = async () => [...new Set((await read()).get('west')?.map((reading) => reading.because))];
    plane.failure = 'connection refused';
    expect(await because()).toEqual(['`pilot-discovery request GET /debug/clusterz`: connection refused']);
    delete plane.failure;
    plane.status['west'] = 'something new';
    expect(await because()).toEqual(['its answer to /debug/clusterz cannot be read']);
    east.objects.delete('/api/v1/namespaces/istio-system/secrets/istio-remote-secret-west');
    expect(await because()).toEqual(['it has not loaded the remote secret']);
  });

  test('passes over an istiod that is not ready, or is going', async () => {
    for (const [name, metadata, ready] of [
      ['istiod-a', {}, 'False'],
      ['istiod-canary-b', { deletionTimestamp: '2030-01-01T00:00:00Z' }, 'True'],
    ] as const) {
      east.put({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'istio-system', labels: { app: 'istiod' }, ...metadata },
        status: { conditions: [{ type: 'Ready', status: ready }] },
      });
    }
    expect(await read()).toEqual(new Map([['west', []]]));
  });

  test('reads its log as it is', async () => {
    plane.log = '2026\terror\t"quoted"\n2026\tinfo\n';
    expect(await istiodLog(east.client, 'istio-system', 'istiod-a')).toBe(plane.log);
  });
});
