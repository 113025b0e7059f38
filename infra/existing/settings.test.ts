import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { labelManaged } from '../kube/kube-object.ts';
import { makeCertificate } from '../testing/certificates.ts';
import { fine, names, namespaceOf, object, OnExisting, workload } from '../testing/existing/on-existing.ts';

let on: OnExisting;
beforeAll(async () => {
  on = await OnExisting.start((await makeCertificate({ name: 'common' })).certificate);
});
afterAll(() => on.stop());
beforeEach(() => {
  on.renew();
});

describe('mesh configuration', () => {
  test('that does not watch our namespaces, nor a shared one', async () => {
    const discoverySelectors = [{ matchLabels: { team: 'a' } }];
    on.addIstio('east', { meshConfig: { discoverySelectors } });
    for (const name of names) on.store(name, namespaceOf('team-b'));
    const fix =
      'fix: have its owners add {matchLabels: {app.kubernetes.io/part-of: shop}}, which namespaces of the mesh have, and a selector for those that are shared';
    expect(await on.said({ sharedNamespaces: ['team-b'] })).toBe(
      `east: Istio: does not watch namespaces shop, team-b: proxies would know none of the services and policies there; received [{"matchLabels":{"team":"a"}}]; allowed meshConfig.discoverySelectors that select them; ${fix}`,
    );
    on.addIstio('east', {
      meshConfig: { discoverySelectors: [{ matchLabels: { 'app.kubernetes.io/part-of': 'shop' } }] },
    });
    expect(await on.said()).toBe(fine);
  });

  const ingress = {
    namespace: 'gateways',
    serviceAccount: 'front',
    selector: { app: 'front' },
    service: 'front',
  };
  const addIngress = (account = 'front') => {
    for (const name of names) {
      for (const kind of ['Service', 'ServiceAccount'])
        on.store(name, object('v1', kind, { name: 'front', namespace: 'gateways' }));
      const metadata = { name: 'front-1', namespace: 'gateways', labels: { app: 'front' } };
      on.store(name, object('v1', 'Pod', metadata, { spec: { serviceAccountName: account } }));
    }
  };

  test('that normalizes paths less: refused at gateways of others, else said', async () => {
    addIngress();
    on.addIstio('west', { meshConfig: { pathNormalization: { normalization: 'MERGE_SLASHES' } } });
    const consequence =
      'a path with // is another one for the policies of edges than for the services behind them';
    const fix = 'have its owners set meshConfig.pathNormalization.normalization: MERGE_SLASHES';
    expect(await on.said({ needs: ['pathNormalization'], ingress })).toBe(
      `east: Istio: normalizes paths less than edges at gateways of others need: ${consequence}; received "BASE"; allowed MERGE_SLASHES, DECODE_AND_MERGE_SLASHES; fix: ${fix}`,
    );
    expect(await on.said({ needs: ['pathNormalization'] })).toBe(fine);
    expect(on.warnings).toEqual([
      `cluster east: Istio normalizes paths by BASE only: ${consequence}; ${fix}`,
    ]);
  });

  test('without the providers that logs and traces need is said', async () => {
    on.addIstio('east', { meshConfig: { accessLogEncoding: 'TEXT' } });
    const extensionProviders = [{ name: 'envoy', envoyFileAccessLog: { path: '/var/log/x' } }];
    on.addIstio('west', { meshConfig: { extensionProviders } });
    expect(await on.said({ needs: ['accessLog', 'tracing'] })).toBe(fine);
    expect(on.warnings.toSorted()).toEqual([
      'cluster east: Istio has no provider otel-collector in meshConfig.extensionProviders: proxies send no spans',
      'cluster east: Istio writes access logs as TEXT, in a format of its owners (meshConfig.accessLogEncoding): log queries that read JSON find nothing',
      'cluster west: Istio has no provider otel-collector in meshConfig.extensionProviders: proxies send no spans',
      "cluster west: Istio's log provider envoy does not write to /dev/stdout: refused calls do not show in the logs of the proxies",
    ]);
  });

  test('gateways to join that are not there, or are not who they are declared to be', async () => {
    addIngress();
    on.apis.east.objects.delete('/api/v1/namespaces/gateways/services/front');
    on.apis.east.objects.delete('/api/v1/namespaces/gateways/serviceaccounts/front');
    on.apis.east.objects.delete('/api/v1/namespaces/gateways/pods/front-1');
    on.store(
      'west',
      object('v1', 'Pod', { name: 'front-2', namespace: 'gateways', labels: { app: 'front' } }),
    );
    expect(await on.said({ ingress })).toBe(
      [
        'east: platform.ingress.service: there is no Service gateways/front: edges would have no address; fix: name that of the gateways in existing({ ingress: { namespace, service } })',
        'east: platform.ingress.serviceAccount: there is no ServiceAccount gateways/front: edges would refuse the gateways; fix: name that of the gateways in existing({ ingress: { namespace, serviceAccount } })',
        'east: platform.ingress.selector: selects no pod in namespace gateways: no gateway would take the routes of edges; received {"app":"front"}; fix: declare the labels of the gateways\' pods in existing({ ingress: { selector } })',
        'west: platform.ingress.serviceAccount: pods that the selector matches run as another account: edges would refuse what they send; received "default"; allowed front; fix: declare their account, or a selector of those that run as this one',
      ].join('\n'),
    );
  });
});

describe('namespaces of others', () => {
  const sharedNamespaces = ['team-a'];

  test('that do not exist, are going, or admit none of the pods', async () => {
    on.store('west', object('v1', 'Namespace', { name: 'team-a' }, { status: { phase: 'Terminating' } }));
    expect(await on.said({ sharedNamespaces })).toBe(
      [
        "east: Namespace team-a: does not exist, and is declared as shared: the mesh does not make it; fix: have its owners create it, or declare mesh.namespace('team-a') without shared",
        'west: Namespace team-a: is being deleted: nothing can be created in it; fix: wait until it is gone and have its owners create it again, or declare another namespace',
      ].join('\n'),
    );
    for (const name of names)
      on.store(name, namespaceOf('team-a', { 'pod-security.kubernetes.io/enforce': 'baseline' }));
    expect(await on.said({ sharedNamespaces })).toBe(fine);
    const refused = (cluster: string) =>
      `${cluster}: Namespace team-a: Pod Security admits none of the pods, because their proxies come with an init container that changes the network; received "pod-security.kubernetes.io/enforce=baseline"; allowed privileged; fix: have the owners of Istio install its CNI agent and declare cni: true, or have the namespace's owners change the label`;
    expect(await on.said({ sharedNamespaces, cni: false })).toBe(`${refused('east')}\n${refused('west')}`);
  });

  test('that hold an object of others with the name of ours; our own is none', async () => {
    for (const name of names) on.store(name, namespaceOf('team-a'));
    on.store('east', object('apps/v1', 'Deployment', { name: 'catalog', namespace: 'team-a' }));
    on.store('west', workload('team-a'));
    expect(await on.said({ sharedNamespaces })).toBe(
      'east: Deployment team-a/catalog: exists already in a namespace that the mesh shares, and belongs to others: the mesh would overwrite it; fix: declare another name',
    );
  });

  test('that have the name of ours are to be shared', async () => {
    on.store('east', namespaceOf('shop'));
    expect(await on.said()).toBe(
      "east: Namespace shop: exists already, and meshwright did not create it; fix: declare another name, or share it with those who have it, mesh.namespace('shop', { shared: true })",
    );
  });

  test('that were handed over hold an object of others with the name of ours', async () => {
    on.store('east', labelManaged(namespaceOf('shop'), 'shop'));
    on.store('east', object('apps/v1', 'Deployment', { name: 'catalog', namespace: 'shop' }));
    expect(await on.said()).toBe(
      'east: Deployment shop/catalog: exists already in a namespace that is declared as ours, and belongs to others: the mesh would overwrite it; fix: declare another name, or have its owners delete it',
    );
  });
});

test('policies of others that reach our pods are named, with what they do; others are not', async () => {
  const policy = (kind: string, namespace: string, name: string, spec: object) =>
    object('security.istio.io/v1', kind, { name, namespace }, { spec });
  for (const name of names) on.store(name, namespaceOf('team-a'));
  const rules = [{}];
  const root = 'istio-system';
  for (const one of [
    policy('AuthorizationPolicy', root, 'no-one', {}),
    policy('AuthorizationPolicy', root, 'deny-admin', { action: 'DENY', rules }),
    policy('AuthorizationPolicy', 'team-a', 'allow-all', { rules }),
    policy('AuthorizationPolicy', 'team-a', 'theirs', { rules, selector: { matchLabels: { app: 'web' } } }),
    policy('AuthorizationPolicy', 'team-a', 'ask', {
      action: 'CUSTOM',
      rules,
      selector: { matchLabels: { app: 'catalog' } },
    }),
    policy('AuthorizationPolicy', 'team-a', 'waypoint', {
      action: 'DENY',
      rules,
      targetRefs: [{ kind: 'Gateway' }],
    }),
    policy('AuthorizationPolicy', 'team-a', 'audit', { action: 'AUDIT', rules }),
    policy('PeerAuthentication', root, 'default', { mtls: { mode: 'PERMISSIVE' } }),
    policy('PeerAuthentication', 'team-a', 'open', {
      mtls: { mode: 'DISABLE' },
      selector: { matchLabels: { app: 'catalog' } },
    }),
  ])
    on.store('east', one);
  expect(await on.said({ sharedNamespaces: ['team-a'] })).toBe(fine);
  expect(on.warnings.toSorted()).toEqual([
    'cluster east: AuthorizationPolicy istio-system/deny-admin of others may refuse calls that the mesh declares: shop/catalog, team-a/catalog',
    'cluster east: AuthorizationPolicy team-a/allow-all of others lets in calls that the mesh does not declare: team-a/catalog',
    'cluster east: AuthorizationPolicy team-a/ask of others has an authorizer of others decide calls that the mesh declares: team-a/catalog',
    "cluster east: PeerAuthentication team-a/open of others lets in callers without mutual TLS (DISABLE) wherever it is older than the mesh's own, as Istio heeds the oldest: team-a/catalog",
  ]);
});
