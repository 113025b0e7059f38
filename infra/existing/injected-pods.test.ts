import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { labelManaged } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { makeCertificate } from '../testing/certificates.ts';
import { fine, names, namespaceOf, object, OnExisting } from '../testing/existing/on-existing.ts';

let on: OnExisting;
beforeAll(async () => {
  on = await OnExisting.start((await makeCertificate({ name: 'common' })).certificate);
});
afterAll(() => on.stop());
beforeEach(() => {
  on.renew();
  for (const name of names) on.store(name, namespaceOf('team-a'));
});

const sharedNamespaces = ['team-a'];
/** As an earlier apply left it. */
const made = labelManaged(namespaceOf('shop', { 'istio.io/rev': 'prod' }), 'shop');
const tag = 'istio-revision-tag-prod';
const configuration = object('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', {
  name: tag,
});
/** Changes the webhooks of the declared tag in west. */
function changeWebhooks(change: (webhook: object) => object): void {
  const live = on.apis.west.get(configuration) as unknown as KubeObject & {
    readonly webhooks: readonly object[];
  };
  on.store('west', { ...live, webhooks: live.webhooks.map(change) });
}

const passedBy = (namespace: string) =>
  `west: Namespace ${namespace}: the injector of Istio passes by the pods of Deployment ${namespace}/catalog: they would start without a proxy, and answer anybody in plaintext; received "in a dry run, a pod without the container istio-proxy"; fix: have the owners of Istio look at the selectors of MutatingWebhookConfiguration ${tag}, and whether its istiod answers: where it does not, failurePolicy Ignore lets pods pass`;
const unselected = (namespace: string) =>
  `west: Namespace ${namespace}: no webhook of Istio's injector selects the pods of Deployment ${namespace}/catalog: they would start without a proxy, and answer anybody in plaintext; received "the selectors of MutatingWebhookConfiguration ${tag}"; allowed a webhook that selects pods with sidecar.istio.io/inject=true and istio.io/rev=prod; fix: have the owners of Istio make it anew (istioctl tag set, or the chart of istiod), or declare another revision or tag`;

test.each(['enabled', 'disabled'])(
  'pods get proxies by a policy of the injector that is %s, as they ask for them',
  async (policy) => {
    for (const name of names) {
      on.addIstio(name, { policy });
      on.store(name, made);
    }
    expect(await on.said({ sharedNamespaces })).toBe(fine);
    expect(on.warnings).toEqual([]);
    const tried = on.apis.west.requests.filter(
      ({ method, path }) => method === 'POST' && path.endsWith('/pods'),
    );
    expect(tried.map(({ path, query }) => [path, query['dryRun']])).toEqual([
      ['/api/v1/namespaces/shop/pods', 'All'],
      ['/api/v1/namespaces/team-a/pods', 'All'],
    ]);
  },
);

test('a policy by which no pod gets a proxy is refused, once for a cluster', async () => {
  on.addIstio('west', { policy: 'off' });
  expect(await on.said({ sharedNamespaces })).toBe(
    'west: Istio: its injector gives a proxy to no pod, whatever pods ask for: those of the mesh would answer anybody in plaintext; received "policy: off"; allowed enabled, disabled; fix: have its owners set values.global.proxy.autoInject to one of these',
  );
});

test('webhooks whose selectors match nothing of the mesh are refused, in namespaces that are not there yet as well', async () => {
  changeWebhooks((webhook) => ({
    ...webhook,
    namespaceSelector: { matchLabels: { 'istio.io/deactivated': 'never-match' } },
  }));
  expect(await on.said({ sharedNamespaces })).toBe(`${unselected('shop')}\n${passedBy('team-a')}`);
  on.store('west', made);
  expect(await on.said({ sharedNamespaces })).toBe(`${passedBy('shop')}\n${passedBy('team-a')}`);
});

test('so are webhooks that want a label which pods of the mesh do not have', async () => {
  changeWebhooks((webhook) => ({ ...webhook, objectSelector: { matchLabels: { team: 'a' } } }));
  expect(await on.said()).toBe(unselected('shop'));
});

test('so is an istiod that does not answer, where its webhooks let pods pass then', async () => {
  on.store('west', made);
  on.apis.west.admit = (pod) => pod;
  expect(await on.said({ sharedNamespaces })).toBe(`${passedBy('shop')}\n${passedBy('team-a')}`);
});

test('a namespace that will have other labels after the apply is judged by those', async () => {
  on.store('west', labelManaged(namespaceOf('shop', { 'istio.io/rev': 'gone' }), 'shop'));
  expect(await on.said()).toBe(fine);
});

test('an istiod outside of its cluster is tried as well', async () => {
  changeWebhooks((webhook) => ({ ...webhook, clientConfig: { url: 'https://istiod.example/inject' } }));
  on.apis.west.admit = (pod) => pod;
  expect(await on.said({ sharedNamespaces })).toBe(passedBy('team-a'));
});

test('pods that want no proxy are not tried', async () => {
  const labels = { 'sidecar.istio.io/inject': 'false' };
  const spec = { template: { metadata: { labels }, spec: {} } };
  const plain = object('apps/v1', 'Deployment', { name: 'plain', namespace: 'team-a' }, { spec });
  expect(await on.said({ sharedNamespaces }, { objects: [labelManaged(plain, 'shop')] })).toBe(fine);
});

test('a dry run that others refuse is said, and keeps nothing from the apply, after which pods are looked at', async () => {
  on.apis.west.intervene = ({ method, path }) =>
    method === 'POST' && path.endsWith('/pods')
      ? { status: 400, body: { message: 'admission webhook "images.example" does not support dry run' } }
      : undefined;
  expect(await on.said({ sharedNamespaces })).toBe(fine);
  expect(on.warnings).toEqual([
    'cluster west: whether pods in namespace team-a get a proxy was not seen before the apply, as a dry run was refused: admission webhook "images.example" does not support dry run',
  ]);
  on.apis.west.intervene = () => undefined;
});
