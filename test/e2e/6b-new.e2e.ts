import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '../../core/wait.ts';
import { copyProject } from '../../scaffold/scaffold.ts';
import { npm, root, stateDir } from './checkout/cli.ts';
import { ensureUp, kubectl, type Status } from './checkout/lab.ts';

const minute = 60_000;
const clusters = ['east', 'west'];
/** Another checkout, with the state of this one: its `up` changes the same mesh. */
const copy = mkdtempSync(join(tmpdir(), 'checkout-'));
const inCopy = (command: string, ...flags: readonly string[]) =>
  npm(command, flags, { MESHWRIGHT_STATE_DIR: stateDir }, copy);
const deployed = (cluster: string) =>
  kubectl(cluster, 'get', 'deployment', '--namespace', 'shop', '--output', 'name').split('\n');
/** What the pods of a service are made of: a change of it replaces them. */
const podsOf = (cluster: string, service: string) =>
  kubectl(
    cluster,
    ...['get', 'deployment', service, '--namespace', 'shop', '--output', 'jsonpath={.spec.template}'],
  );
let seen: Status;

beforeAll(async () => {
  seen = await ensureUp();
  copyProject(root, copy);
}, 60 * minute);
afterAll(() => {
  rmSync(copy, { recursive: true });
});

test(
  'a service made by one command is up with the next, and is served by the edge of each cluster',
  async () => {
    const catalogs = () => clusters.map((cluster) => podsOf(cluster, 'catalog'));
    const before = catalogs();
    expect(before[0]).toMatch(/"image":"[^"]+\/gateway:/);
    expect(await inCopy('new', 'test-parcels')).toMatchObject({ code: 0, stderr: '' });
    expect(await inCopy('up')).toMatchObject({ code: 0 });
    // With the gateway beside it: neither its image nor what it serves has changed.
    expect(catalogs()).toEqual(before);
    for (const cluster of clusters) {
      const url = `${seen.clusters[cluster]!.ingress}/v1/test-parcels`;
      // Each cluster has pods of its own, and they are preferred once the proxies know them.
      const one = await waitFor(
        { what: `a test parcel served in ${cluster}`, timeoutMs: minute },
        async () => {
          const answer = await fetch(`${url}/test-parcel-1`);
          const servedBy = answer.headers.get('x-served-by') ?? '';
          return servedBy.startsWith(`${cluster}/test-parcels-`)
            ? { done: true, value: answer }
            : { done: false, because: `${answer.status} by ${servedBy}` };
        },
      );
      expect([one.status, await one.json()]).toEqual([
        200,
        { testParcel: { id: 'test-parcel-1', name: 'The first test parcel' } },
      ]);
      const missing = await fetch(`${url}/test-parcel-2`);
      expect([missing.status, await missing.json()]).toMatchObject([
        404,
        { message: 'id: no test parcel "test-parcel-2"' },
      ]);
    }
  },
  10 * minute,
);

test(
  'what this checkout does not declare is gone once it is up again',
  async () => {
    expect(await npm('up')).toMatchObject({ code: 0 });
    for (const cluster of clusters) {
      expect(deployed(cluster)).toContain('deployment.apps/catalog');
      expect(deployed(cluster)).not.toContain('deployment.apps/test-parcels');
    }
  },
  10 * minute,
);
