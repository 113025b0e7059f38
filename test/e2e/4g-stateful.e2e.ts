// A broker of others, NATS' own server with its store, as a stateful TcpService: pods with names of their own and volumes that outlive them.
// Needs Go to build it once.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { answered } from './calls/tcp.ts';
import { stateDir } from './checkout/cli.ts';
import type { Cluster } from './checkout/lab-mesh.ts';
import { kubectl } from './checkout/lab.ts';
import { everything } from './everything.ts';
import {
  askKept,
  brokersProject,
  declaration,
  keep,
  keptText,
  ledgers,
  makeStore,
} from './meshes/brokers.ts';
import { readerIn, upWithNats } from './meshes/nats.ts';

const minute = 60_000;
const clusters = ['east', 'west'] as const;
jest.setTimeout(5 * minute);

const project = brokersProject();
let brought: Awaited<ReturnType<typeof project.run>>;

beforeAll(async () => {
  brought = await upWithNats(project, '--prove');
}, 60 * minute);

afterAll(() => {
  project.remove();
});

const at = (cluster: Cluster) => readerIn(cluster, 'reader');

/** A condition of a pod. */
interface Condition {
  readonly type: string;
  readonly lastTransitionTime: string;
}

test('up brings it up', () => {
  expect(brought).toMatchObject({ code: 0 });
});

describe('pods that keep what they write', () => {
  const all = clusters.flatMap((cluster) => ledgers[cluster].map((pod) => [cluster, pod] as const));
  const text = (cluster: Cluster, pod: string) => `of ${pod} in the ${cluster}`;
  const awaitAll = () => {
    for (const cluster of clusters)
      kubectl(cluster, '-n', 'shop', 'rollout', 'status', 'statefulset/ledger', '--timeout=90s');
  };
  /** What each of them has kept, as its caller reads it by the name of the pod. */
  const kept = () =>
    Promise.all(
      all.map(async ([cluster, pod]) => {
        const what = `${pod} in ${cluster} has what it kept`;
        const [found = ''] = await answered(what, at(cluster), askKept(pod), () => true, 1);
        return keptText(found);
      }),
    );
  const expected = all.map(([cluster, pod]) => text(cluster, pod));

  test('are proved to be reached by their names, and start one after the other, each with a volume', () => {
    for (const cluster of clusters)
      expect(brought.stdout).toMatch(
        new RegExp(`reader in ${cluster} connects to .*ledger-0\\.ledger-pods of ledger:client`),
      );
    const { items } = JSON.parse(
      kubectl('east', '-n', 'shop', 'get', 'pods', '-l', 'app.kubernetes.io/name=ledger', '-o', 'json'),
    ) as {
      items: { metadata: { name: string; creationTimestamp: string }; status: { conditions: Condition[] } }[];
    };
    const [first, second] = items.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    const ready = first?.status.conditions.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? '';
    expect(Date.parse(second?.metadata.creationTimestamp ?? '')).toBeGreaterThanOrEqual(Date.parse(ready));
    const claims = kubectl('east', '-n', 'shop', 'get', 'pvc', '-o', 'jsonpath={.items[*].status.phase}');
    expect(claims).toBe('Bound Bound');
  });

  test('have it after they were deleted, and come back under their names', async () => {
    for (const [cluster, pod] of all) {
      await answered(`${pod} in ${cluster} has a store`, at(cluster), makeStore(pod), () => true, 1);
      await answered(`${pod} in ${cluster} keeps`, at(cluster), keep(pod, text(cluster, pod)), () => true, 1);
    }
    expect(await kept()).toEqual(expected);
    for (const cluster of clusters)
      kubectl(
        cluster,
        '-n',
        'shop',
        'delete',
        'pods',
        '-l',
        'app.kubernetes.io/name=ledger',
        '--timeout=90s',
      );
    awaitAll();
    expect(await kept()).toEqual(expected);
  });

  test('are declared with another size in vain: up says so before it changes anything', async () => {
    writeFileSync(join(project.folder, 'mesh.ts'), declaration({ size: '128Mi' }));
    const refused = await project.run('up', '--engine', 'apply');
    expect(refused.code).toBe(2);
    for (const cluster of clusters)
      expect(refused.stderr).toContain(
        `${cluster}: StatefulSet shop/ledger: is declared with other values in fields that Kubernetes never changes in a StatefulSet: ` +
          'volumeClaimTemplates[data].size is 64Mi, declared 128Mi; fix: declare it as it is',
      );
  });

  // Two minutes: CI has the deleted pods.
  (everything ? test : test.skip)('have it after their node was killed and is back', async () => {
    writeFileSync(join(project.folder, 'mesh.ts'), declaration());
    const { pid } = JSON.parse(readFileSync(join(stateDir, 'nodes/east/process.json'), 'utf8')) as {
      pid: number;
    };
    process.kill(pid, 'SIGKILL');
    expect(await project.run('up', '--engine', 'apply')).toMatchObject({ code: 0 });
    awaitAll();
    expect(await kept()).toEqual(expected);
  });

  // Half a minute: CI has what `down` and prune keep in unit tests, against API servers on loopback.
  (everything ? test : test.skip)(
    'leave their claims, which are named, when they are no longer declared',
    async () => {
      writeFileSync(join(project.folder, 'mesh.ts'), declaration({ declared: false }));
      const up = await project.run('up', '--engine', 'apply');
      expect(up).toMatchObject({ code: 0 });
      expect(up.stdout).toContain('east: deleted StatefulSet shop/ledger');
      expect(up.stdout).toContain(
        'east: PersistentVolumeClaim shop/data-ledger-0, PersistentVolumeClaim shop/data-ledger-1 are kept, with what StatefulSet shop/ledger wrote',
      );
      writeFileSync(join(project.folder, 'mesh.ts'), declaration());
      expect(await project.run('up', '--engine', 'apply')).toMatchObject({ code: 0 });
      expect(await kept()).toEqual(expected);
    },
  );
});
