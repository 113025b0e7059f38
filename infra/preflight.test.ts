import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { labelManaged } from './kube-object.ts';
import { checkClusters } from './preflight.ts';
import { KubeApi } from './testing/kube-api.ts';
import { problemOf } from './testing/problems.ts';
import { cacertsSecret, ensureTrust } from './trust.ts';
import type { ClusterTrust } from './trust.ts';

let api: KubeApi;
let folder: string;
let trust: Readonly<Record<string, ClusterTrust>>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'preflight-'));
  api = await KubeApi.start('east');
  trust = await ensureTrust(join(folder, 'ours'), 'shop', ['east'], 'istio-system');
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await api.stop();
});
afterEach(() => {
  api.objects.clear();
});

const istiod = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'istiod', namespace: 'istio-system' },
};
const check = () => checkClusters({ east: api.client }, trust, 'istio-system');
const store = (object: object) => {
  api.put({ ...object } as Parameters<typeof api.put>[0]);
};

describe('checkClusters', () => {
  test('accepts an empty cluster, and one with this mesh', async () => {
    await check();
    store(labelManaged(istiod));
    store(cacertsSecret('istio-system', trust['east']!));
    await check();
  });

  test("refuses somebody else's Istio and another trust, both at once", async () => {
    const other = await ensureTrust(join(folder, 'other'), 'shop', ['east'], 'istio-system');
    store(istiod);
    store(cacertsSecret('istio-system', other['east']!));
    expect(await problemOf(check())).toEqual({
      exitCode: 2,
      message: [
        'east: Deployment istio-system/istiod: belongs to an Istio that meshwright did not install; fix: uninstall it first, or use another cluster',
        'east: Secret istio-system/cacerts: holds another root CA than the trust folder; replacing it would cut every running workload off; fix: put the trust folder that this mesh was made with back, or take the mesh down first',
      ].join('\n'),
    });
  });
});
