import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { npm } from './checkout/cli.ts';
import { expectNoMesh, otherCheckout, type OtherCheckout } from './checkout/contexts.ts';
import { ensureUp, kubectl } from './checkout/lab.ts';

const minute = 60_000;
let other: OtherCheckout;
let env: OtherCheckout['env'];
let flags: OtherCheckout['flags'];

beforeAll(async () => {
  await ensureUp();
  other = otherCheckout();
  ({ env, flags } = other);
}, 60 * minute);
afterAll(() => {
  other.remove();
});

test(
  'up finds a mesh of the same trust as declared, and proves it without taking anything away',
  async () => {
    const { code, stdout } = await npm('up', flags, env);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^nothing to change: all \d+ objects are as declared/m);
    expect(stdout).toMatch(/^not proved: with catalog scaled to 0 in east, /m);
    expect(stdout).toMatch(/^ {4}kubectl --context west --namespace shop get pods$/m);
  },
  15 * minute,
);

test(
  'up deletes what is no longer declared, and leaves alone what others made',
  async () => {
    const labels = { 'app.kubernetes.io/managed-by': 'meshwright', 'app.kubernetes.io/part-of': 'shop' };
    const config = (name: string, own: object) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'shop', labels: own },
      data: {},
    });
    const apply = (manager: string, object: object) =>
      kubectl('east', 'apply', '--server-side', `--field-manager=${manager}`, '-f', '-', {
        input: JSON.stringify(object),
      });
    apply('meshwright', config('left-over', labels));
    apply('somebody', config('of-somebody', {}));
    // Labelled like ours, but not applied by us: such as what Kubernetes copies labels to.
    apply('somebody', config('copied-labels', labels));
    const { code, stdout } = await npm('up', flags, env);
    expect(code).toBe(0);
    expect(stdout).toContain('east: deleted ConfigMap shop/left-over');
    expect(stdout).toMatch(/^0 created, 0 changed, 1 deleted, \d+ unchanged/m);
    const names = kubectl('east', '-n', 'shop', 'get', 'configmaps', '-o', 'name');
    expect(names).not.toContain('left-over');
    expect(names).toContain('of-somebody');
    expect(names).toContain('copied-labels');
    kubectl('east', '-n', 'shop', 'delete', 'configmap', 'of-somebody', 'copied-labels');
  },
  15 * minute,
);

test(
  'down takes the mesh out of the clusters, and up brings it back into them',
  async () => {
    expect(await npm('down', [], env)).toMatchObject({ code: 0 });
    expectNoMesh();
    expect(await npm('down', [], env)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/nothing was up\n$/),
    });
    const { code, stdout } = await npm('up', [...flags, '--prove'], env);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /with catalog scaled to 0 in east, .*: by west\/catalog-.*, then by east\/catalog-/,
    );
  },
  30 * minute,
);
