import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { labelManaged, type KubeObject } from '../kube/kube-object.ts';
import type { Plan } from '../plan/plan.ts';
import { kinds } from '../testing/api-kinds.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { fixedFieldProblems } from './fixed-fields.ts';

let api: KubeApi;
beforeAll(async () => {
  api = await KubeApi.start('east');
  api.kinds = { ...kinds, 'apps/v1': [['StatefulSet', true]] };
});
afterAll(() => api.stop());
afterEach(() => {
  api.objects.clear();
  api.requests.length = 0;
});

const metadata = { name: 'redis', namespace: 'shop' };
const claim = (storage: string, more: object = {}) => ({
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } }, ...more },
});
const set = (volumeClaimTemplates: readonly object[], more: object = {}): KubeObject => ({
  ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata },
  spec: {
    serviceName: 'redis-pods',
    selector: { matchLabels: { app: 'redis' } },
    volumeClaimTemplates,
    ...more,
  },
});

const fixed =
  'StatefulSet.apps "redis" is invalid: spec: Forbidden: updates to statefulset spec for fields other than \'replicas\' are forbidden';

/** The problems where this is in the cluster, and that declared; the API server refuses what it is asked, or does not. */
async function found(live: KubeObject | undefined, wanted: KubeObject, status = 422, message = fixed) {
  if (live !== undefined) api.put({ ...live, metadata: { ...live.metadata } });
  api.intervene = ({ method }) =>
    method === 'PATCH' && status !== 200 ? { status, body: { message } } : undefined;
  const plan = { mesh: 'shop', steps: [{ cluster: 'east', objects: [wanted] }] } as unknown as Plan;
  return fixedFieldProblems(api.client, plan, undefined);
}
const ours = (object: KubeObject) => labelManaged(object, 'shop');

test('a StatefulSet that is declared otherwise where Kubernetes never changes it is refused before anything is applied', async () => {
  const live = ours(set([claim('1Gi'), { ...claim('1Gi'), metadata: { name: 'logs' } }]));
  const wanted = set([claim('2Gi', { storageClassName: 'fast' })], { podManagementPolicy: 'Parallel' });
  expect(await found(live, wanted)).toEqual([
    {
      where: 'east: StatefulSet shop/redis',
      what:
        'is declared with other values in fields that Kubernetes never changes in a StatefulSet: ' +
        'podManagementPolicy is OrderedReady, declared Parallel; ' +
        'volumeClaimTemplates[data].size is 1Gi, declared 2Gi; volumeClaimTemplates[data].storageClassName is not set, declared fast; ' +
        'volumeClaimTemplates[logs].size is 1Gi, declared not set; volumeClaimTemplates[logs].accessModes is ["ReadWriteOnce"], declared not set',
      fix:
        'declare it as it is; or have it made anew around its pods, which run on: ' +
        `kubectl --kubeconfig ${api.kubeconfig} --context east -n shop delete statefulset redis --cascade=orphan, then run this again. ` +
        'Claims that there are stay as they are: each is made larger by itself, where its class allows it',
    },
  ]);
  // Nothing was changed: it was a dry run that was refused.
  expect(api.requests.filter(({ method }) => method === 'PATCH').map(({ query }) => query['dryRun'])).toEqual(
    ['All'],
  );
});

test.each<[string, KubeObject | undefined, number, string]>([
  ['one that is not there', undefined, 422, fixed],
  ['the same', ours(set([claim('2Gi', { volumeMode: 'Filesystem' })])), 422, fixed],
  ['the same amount in other words', ours(set([claim('2048Mi')])), 200, fixed],
  ['what the API server takes all the same', ours(set([claim('1Gi')])), 200, fixed],
  ['what it refuses for something else', ours(set([claim('1Gi')])), 403, fixed],
  [
    'what is wrong beside',
    ours(set([claim('1Gi')])),
    422,
    'spec.template.spec.containers[0].image: Required value',
  ],
  ['one of others, which is told elsewhere', set([claim('1Gi')]), 422, fixed],
])('%s is no problem', async (_, live, status, message) => {
  expect(await found(live, set([claim('2Gi')]), status, message)).toEqual([]);
});
