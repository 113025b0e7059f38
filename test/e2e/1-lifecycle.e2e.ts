import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { writeFileAtomic } from '../../core/files.ts';
import { killHard, npm, root, start, stateDir } from './cli.ts';
import { status } from './lab.ts';
import { cleanMachineFile, settledMachineState } from './machine.ts';

const minute = 60_000;

describe('the life of a mesh', () => {
  test(
    'up brings it up from nothing, and proves it by real calls',
    async () => {
      const before = await settledMachineState();
      expect(before.networkNamespaces.filter((name) => name.startsWith('meshwright'))).toEqual([]);
      writeFileAtomic(cleanMachineFile(), JSON.stringify(before));
      const { code, stdout: proofs } = await npm('up');
      expect(code).toBe(0);
      expect(proofs).toMatch(
        /a product read in east is served by east: 11 of 11 calls, the last by east\/catalog-/,
      );
      expect(proofs).toMatch(
        /a product read in west is served by west: 11 of 11 calls, the last by west\/catalog-/,
      );
      for (const ingress of ['east', 'west']) {
        expect(proofs).toMatch(
          new RegExp(
            `an order placed through ${ingress} is .*: order by east/orders-.*, stock by west/inventory-`,
          ),
        );
        expect(proofs).toMatch(
          new RegExp(
            `a plaintext call from outside the mesh is refused in ${ingress}: connected to .*, then: `,
          ),
        );
      }
      expect(proofs).toMatch(
        /with the catalog of east scaled to 0, .*: by west\/catalog-.*, then by east\/catalog-/,
      );
    },
    60 * minute,
  );

  test(
    'up again changes nothing and says so',
    async () => {
      const dist = readFileSync(join(root, 'dist/east/50-workloads.k8s.yaml'));
      const { code, stdout } = await npm('up');
      expect(code).toBe(0);
      expect(stdout).toMatch(/^nothing to change: all \d+ objects are as declared; \d+ s in all$/m);
      expect(readFileSync(join(root, 'dist/east/50-workloads.k8s.yaml'))).toEqual(dist);
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
