import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { npm } from './checkout/cli.ts';
import { clusters, otherCheckout, type OtherCheckout } from './checkout/contexts.ts';
import { ensureUp, kubeconfig, type Status } from './checkout/lab.ts';
import { everything } from './everything.ts';
import { grantRights, revokeRights, withoutRight, writeKubeconfig } from './checkout/least-rights.ts';

const minute = 60_000;
let other: OtherCheckout;
/** The kubeconfig of whoever runs a command: each with the rights that docs/rights gives to it, and no others. */
let least: string;
let env: NodeJS.ProcessEnv;

/** As the administrator of the clusters. */
const asAdmin = (command: string, flags: readonly string[] = []) =>
  npm(command, flags, { ...other.env, KUBECONFIG: kubeconfig });

// Each command a whole mesh: minutes that CI does not have.
(everything ? describe : describe.skip)('with the least rights', () => {
  beforeAll(async () => {
    await ensureUp();
    other = otherCheckout();
    least = join(other.state, 'least-kubeconfig');
    env = { ...other.env, KUBECONFIG: least };
    expect(await asAdmin('up', other.flags)).toMatchObject({ code: 0 });
    expect(await asAdmin('down')).toMatchObject({ code: 0 });
    for (const cluster of clusters) grantRights(cluster);
  }, 60 * minute);

  afterAll(async () => {
    for (const cluster of clusters) revokeRights(cluster);
    expect(await asAdmin('up', other.flags)).toMatchObject({ code: 0 });
    other.remove();
  }, 30 * minute);

  test(
    'up names each right of docs/rights/up.yaml that is missing, and changes nothing',
    async () => {
      writeKubeconfig(least, 'up');
      const system = 'istio-eastwest, istio-ingress, istio-system';
      const cases = [
        ['meshwright-up', 'endpointslices', 'list', 'list on endpointslices.discovery.k8s.io'],
        ['meshwright-up-namespaces', 'pods/exec', 'create', `create on pods/exec in ${system}, shop`],
        ['meshwright-up-here', 'secrets', 'patch', 'patch on secrets in istio-system'],
        [
          'meshwright-up',
          'mutatingwebhookconfigurations',
          'delete',
          'delete on mutatingwebhookconfigurations.admissionregistration.k8s.io (istio-sidecar-injector)',
        ],
      ] as const;
      for (const [role, resource, verb, said] of cases) {
        const giveBack = withoutRight('west', role, { resource, verb });
        const { code, stderr } = await npm('up', other.flags, env);
        giveBack();
        // What is of the release is found by the apply, which says so before `up` does.
        const lines = new Set(stderr.trimEnd().replaceAll('[FAILED] ', '').split('\n'));
        expect({ code, lines: [...lines] }).toEqual({
          code: 2,
          lines: [
            `cluster west: the credentials of context west lack these permissions: ${said}; fix: use credentials with the ClusterRole cluster-admin, or have these permissions granted`,
          ],
        });
      }
    },
    15 * minute,
  );

  test(
    'up brings the mesh up with them, from nothing, and finds nothing to change after',
    async () => {
      const first = await npm('up', other.flags, env);
      expect(first).toMatchObject({ code: 0 });
      expect(first.stdout).toMatch(/with catalog scaled to 0 in east/);
      expect(first.stdout).toMatch(/a plaintext call from outside the mesh is refused in west/);
      const again = await npm('up', other.flags, env);
      expect(again.code).toBe(0);
      expect(again.stdout).toMatch(/^nothing to change: all \d+ objects are as declared/m);
    },
    20 * minute,
  );

  test('status with those of docs/rights/status.yaml sees all', async () => {
    writeKubeconfig(least, 'status');
    const { code, stdout } = await npm('status', ['--json'], env);
    expect(code).toBe(0);
    for (const { remotes, trust, nodes } of Object.values((JSON.parse(stdout) as Status).clusters)) {
      expect(nodes).toBeGreaterThan(0);
      expect(trust).toMatchObject({ warning: null });
      for (const remote of Object.values(remotes))
        expect(remote).toMatchObject({ istiod: 'synced', problem: null, listsSecrets: expect.any(String) });
    }
  });

  test(
    'down with those of docs/rights/down.yaml leaves the namespaces that the rights are in',
    async () => {
      writeKubeconfig(least, 'down');
      const { code, stdout } = await npm('down', [], env);
      expect(code).toBe(0);
      for (const cluster of clusters)
        for (const namespace of ['istio-system', 'shop'])
          expect(stdout).toMatch(
            new RegExp(
              `^.*${cluster}: Namespace ${namespace} is kept for what meshwright did not make: .*RoleBinding ${namespace}/meshwright-`,
              'm',
            ),
          );
      expect(stdout).toMatch(/all that up made is removed/);
    },
    15 * minute,
  );
});
