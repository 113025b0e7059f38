import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { writeFileAtomic } from '../../core/files.ts';
import { killHard, npm, root, start, stateDir } from './checkout/cli.ts';
import { kubectl, status } from './checkout/lab.ts';
import { cleanMachineFile, settledMachineState } from './checkout/machine.ts';

const minute = 60_000;

/** The names of the catalog's pods in east: others once it was scaled to 0. */
function catalogPods(): string {
  const selector = 'app.kubernetes.io/name=catalog';
  const pods = JSON.parse(kubectl('east', '-n', 'shop', 'get', 'pods', '-l', selector, '-o', 'json')) as {
    items: { metadata: { name: string; deletionTimestamp?: string } }[];
  };
  const staying = pods.items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return staying.map(({ metadata }) => metadata.name).join(' ');
}

describe('the life of a mesh', () => {
  test(
    'up brings it up from nothing, and proves it by real calls',
    async () => {
      const before = await settledMachineState();
      expect(before.networkNamespaces.filter((name) => name.startsWith('meshwright'))).toEqual([]);
      writeFileAtomic(cleanMachineFile(), JSON.stringify(before));
      const { code, stdout: proofs } = await npm('up');
      expect(code).toBe(0);
      for (const ingress of ['east', 'west']) {
        expect(proofs).toMatch(
          new RegExp(
            `calls to edge through ${ingress} are answered by catalog in ${ingress}, by inventory in west, and by orders in east: ` +
              `11 of 11 each, the last by ${ingress}/catalog-\\S+, west/inventory-\\S+, east/orders-`,
          ),
        );
        expect(proofs).toMatch(
          new RegExp(
            `a plaintext call from outside the mesh is refused in ${ingress}: connected to .*, then: `,
          ),
        );
      }
      expect(proofs).toMatch(
        /orders in east gets to catalog and inventory: GetProduct answered by east\/catalog-\S+, inventory's proxy /,
      );
      expect(proofs).toMatch(
        /with catalog scaled to 0 in east, .*: by west\/catalog-.*, then by east\/catalog-/,
      );
    },
    60 * minute,
  );

  test(
    'up again changes nothing, disturbs nobody and says so',
    async () => {
      const dist = readFileSync(join(root, 'dist/lab/east/50-workloads.k8s.yaml'));
      const before = catalogPods();
      const { code, stdout } = await npm('up');
      expect(code).toBe(0);
      expect(stdout).toMatch(/^nothing to change: all \d+ objects are as declared; \d+ s in all$/m);
      expect(stdout).toMatch(/^proved by an earlier up: with catalog scaled to 0 in east, /m);
      expect(catalogPods()).toBe(before);
      expect(readFileSync(join(root, 'dist/lab/east/50-workloads.k8s.yaml'))).toEqual(dist);
    },
    10 * minute,
  );

  test(
    'up with --prove proves failover, though nothing changed',
    async () => {
      const before = catalogPods();
      const { code, stdout } = await npm('up', ['--prove']);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^nothing to change: /m);
      expect(stdout).toMatch(/ with catalog scaled to 0 in east, .*: by west\/.*, then by east\//m);
      expect(catalogPods()).not.toBe(before);
    },
    10 * minute,
  );

  test(
    'up brings back what was deleted or edited by hand, in either cluster, and disturbs nobody for what concerns nothing',
    async () => {
      await npm('up'); // what the proof before scaled is the plan's again
      const before = catalogPods();
      kubectl('east', '-n', 'shop', 'delete', 'serviceaccount', 'orders');
      kubectl(
        'west',
        '-n',
        'shop',
        'label',
        '--overwrite',
        'service',
        'inventory',
        'app.kubernetes.io/name=else',
      );
      const { code, stdout } = await npm('up');
      expect(code).toBe(0);
      expect(stdout).toContain('west 40-services: changed Service shop/inventory');
      expect(stdout).toMatch(/^1 created, 1 changed, 0 deleted, \d+ unchanged; /m);
      expect(stdout).toMatch(/^proved by an earlier up: with catalog scaled to 0 in east, /m);
      expect(kubectl('east', '-n', 'shop', 'get', 'serviceaccount', 'orders', '-o', 'name').trim()).toBe(
        'serviceaccount/orders',
      );
      const label = String.raw`jsonpath={.metadata.labels.app\.kubernetes\.io/name}`;
      expect(kubectl('west', '-n', 'shop', 'get', 'service', 'inventory', '-o', label)).toBe('inventory');
      expect(catalogPods()).toBe(before);
    },
    10 * minute,
  );

  test(
    'up ends with 1 when a route is broken by hand with what the mesh does not declare',
    async () => {
      const refuse = JSON.stringify({
        apiVersion: 'security.istio.io/v1',
        kind: 'AuthorizationPolicy',
        metadata: { name: 'broken-by-hand', namespace: 'shop' },
        spec: {
          selector: { matchLabels: { 'app.kubernetes.io/name': 'catalog' } },
          action: 'DENY',
          rules: [{}],
        },
      });
      kubectl('west', 'apply', '-f', '-', { input: refuse });
      try {
        const { code, stderr } = await npm('up');
        expect(code).toBe(1);
        expect(stderr).toMatch(
          /^answers of catalog through west: not reached within 60 s: .*through west: no service answered/m,
        );
      } finally {
        kubectl('west', '-n', 'shop', 'delete', 'authorizationpolicy', 'broken-by-hand');
      }
      expect((await npm('up')).code).toBe(0);
    },
    10 * minute,
  );

  test(
    'a second command at the same time is told which one runs',
    async () => {
      const first = start('up');
      await first.printed(/mesh, applied by/);
      const second = await npm('down');
      expect(second.code).toBe(2);
      expect(second.stderr).toMatch(
        /^\S+\/\.meshwright-e2e\/lock: `npm run up` is running here \(pid \d+, since \S+\); allowed one command at a time; fix: wait until it ends, or stop it with Ctrl-C$/m,
      );
      expect(await first.finished).toMatchObject({ code: 0 });
    },
    10 * minute,
  );

  test(
    'up mends a node that was killed',
    async () => {
      const { pid } = JSON.parse(readFileSync(join(stateDir, 'nodes/west/process.json'), 'utf8')) as {
        pid: number;
      };
      process.kill(pid, 'SIGKILL');
      expect((await npm('status')).code).toBe(1);
      expect(await npm('up')).toMatchObject({ code: 0 });
    },
    20 * minute,
  );

  test.each([
    ['while the nodes start', /node started/],
    ['while the control plane is applied', /00-namespaces: ready/],
  ])(
    'up goes on from where it was killed %s',
    async (_, moment) => {
      expect(await npm('down')).toMatchObject({ code: 0 });
      const interrupted = start('up');
      await interrupted.printed(moment);
      await killHard(interrupted);
      expect(await npm('up')).toMatchObject({ code: 0 });
      expect((await status()).crossCluster.ok).toBe(true);
    },
    30 * minute,
  );
});
