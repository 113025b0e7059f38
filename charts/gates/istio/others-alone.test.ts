import { describe, expect, test } from '@jest/globals';
import { formatProblem } from '../../../core/problem.ts';
import { field } from '../../model/rendered.ts';
import { objectOf, renderedOf } from '../../testing/rendered.ts';
import { othersAlone } from './others-alone.ts';

const labels = { 'app.kubernetes.io/managed-by': 'meshwright', 'app.kubernetes.io/part-of': 'demo' };
const istio = { labels, shared: ['team-a'], closed: ['istio-system'] };
const networking = 'networking.istio.io/v1';
const security = 'security.istio.io/v1';

/** What the gate says of objects, on an Istio of others and on the mesh's own. */
function said(...objects: readonly ReturnType<typeof objectOf>[]): readonly string[] {
  const made = objectOf('v1', 'Namespace', undefined, { name: 'shop', namespace: undefined });
  const rendered = renderedOf([made, ...objects]);
  expect(othersAlone(rendered)).toEqual([]);
  return othersAlone({ ...rendered, istio }).map(formatProblem);
}

const pods = (metadata: object) => objectOf('apps/v1', 'Deployment', { template: { metadata } });
const strict = (selector: object, namespace = 'shop') =>
  objectOf(security, 'PeerAuthentication', { ...selector, mtls: { mode: 'STRICT' } }, { namespace });

test('pods that no PeerAuthentication is for are refused, unless they have no proxy or are a gateway', () => {
  const own = { labels: { ...labels, app: 'a' } };
  const refused =
    'own: Deployment shop/one: its pods take calls in plaintext where the Istio of others does, because no PeerAuthentication is for them; ' +
    'fix: add one with mode STRICT that selects them';
  expect(said(pods(own))).toEqual([refused]);
  expect(said(pods(own), strict({ selector: { matchLabels: { app: 'b' } } }))).toEqual([refused]);
  expect(said(pods(own), strict({ selector: { matchLabels: labels } }, 'goods'))).toEqual([refused]);
  expect(said(pods(own), strict({ selector: { matchLabels: labels } }))).toEqual([]);
  expect(said(pods(own), strict({}))).toEqual([]);
  expect(said(pods({ labels: { ...labels, 'sidecar.istio.io/inject': 'false' } }))).toEqual([]);
  expect(said(pods({ ...own, annotations: { 'inject.istio.io/templates': 'gateway' } }))).toEqual([]);
});

test('routes and policies are for hosts of the mesh, in each way to write one', () => {
  const service = objectOf('v1', 'Service', { ports: [] }, { name: 'catalog' });
  const exportTo = ['.'];
  const entry = objectOf(networking, 'ServiceEntry', { hosts: ['bank.example'], exportTo });
  const rule = (host: string) => objectOf(networking, 'DestinationRule', { host, exportTo });
  const routes = (spec: object) => objectOf(networking, 'VirtualService', { ...spec, exportTo });
  for (const host of ['catalog', 'catalog.shop.svc.cluster.local', 'bank.example'])
    expect(said(service, entry, rule(host), routes({ hosts: [host] }))).toEqual([]);
  // What a gateway serves to the outside is no host of the mesh.
  expect(said(routes({ hosts: ['api.example'], gateways: ['edge'] }))).toEqual([]);
  const problem = (title: string, host: string) =>
    `own: ${title} shop/one is about a host of others, which everybody who sees it would call otherwise; received "${host}"; ` +
    'fix: name a host of the mesh, or remove it';
  for (const host of ['*.local', 'reports.team-a.svc.cluster.local']) {
    expect(said(service, rule(host))).toEqual([problem('DestinationRule', host)]);
    expect(said(service, routes({ hosts: [host], gateways: ['mesh', 'edge'] }))).toEqual([
      problem('VirtualService', host),
    ]);
  }
});

test('pods of others see nothing that says how a host outside is called, in each way to show it to them', () => {
  const made = objectOf('v1', 'Namespace', undefined, { name: 'goods', namespace: undefined });
  const entry = (namespace: string, exportTo?: readonly string[]) =>
    objectOf(networking, 'ServiceEntry', { hosts: ['bank.example'], exportTo }, { namespace });
  const problem = (title: string, received: string, fix = "add exportTo: ['.'] to its spec") =>
    `own: ${title}/one is seen by pods of others, whose calls to its host would change; received ${received}; ` +
    `allowed spec.exportTo with '.' and namespaces that the mesh has alone; fix: ${fix}`;
  const everywhere = '"no spec.exportTo: every namespace"';
  for (const own of [['.'], ['~'], ['shop'], ['.', 'goods']])
    expect(said(made, entry('shop', own))).toEqual([]);
  for (const shown of [['*'], ['.', 'team-a'], ['team-b']])
    expect(said(made, entry('shop', shown))).toEqual([problem('ServiceEntry shop', JSON.stringify(shown))]);
  for (const none of [undefined, []])
    expect(said(entry('shop', none))).toEqual([problem('ServiceEntry shop', everywhere)]);
  const move = 'put it, and what calls the host, into such a namespace';
  for (const inShared of [['.'], ['team-a']])
    expect(said(entry('team-a', inShared))).toEqual([
      problem('ServiceEntry team-a', JSON.stringify(inShared), move),
    ]);
  const own = entry('shop', ['.']);
  expect(said(own, objectOf(networking, 'DestinationRule', { host: 'bank.example' }))).toEqual([
    problem('DestinationRule shop', everywhere),
  ]);
  expect(
    said(own, objectOf(networking, 'VirtualService', { hosts: ['bank.example'], exportTo: ['*'] })),
  ).toEqual([problem('VirtualService shop', '["*"]')]);
});

test.each([
  ['security.istio.io/v1', 'AuthorizationPolicy', ['selector', 'matchLabels']],
  ['security.istio.io/v1', 'PeerAuthentication', ['selector', 'matchLabels']],
  ['security.istio.io/v1', 'RequestAuthentication', ['selector', 'matchLabels']],
  ['telemetry.istio.io/v1', 'Telemetry', ['selector', 'matchLabels']],
  ['extensions.istio.io/v1alpha1', 'WasmPlugin', ['selector', 'matchLabels']],
  ['networking.istio.io/v1beta1', 'ProxyConfig', ['selector', 'matchLabels']],
  ['networking.istio.io/v1alpha3', 'EnvoyFilter', ['workloadSelector', 'labels']],
  ['networking.istio.io/v1', 'Sidecar', ['workloadSelector', 'labels']],
  ['networking.k8s.io/v1', 'NetworkPolicy', ['podSelector', 'matchLabels']],
  ['policy/v1', 'PodDisruptionBudget', ['selector', 'matchLabels']],
  ['v1', 'Service', ['selector']],
])('in a shared namespace, a %s %s is about pods of the mesh alone', (apiVersion, kind, path) => {
  const about = (pods: object) => {
    const spec = path.toReversed().reduce<object>((inner, key) => ({ [key]: inner }), pods);
    return said(objectOf(apiVersion, kind, spec, { namespace: 'team-a' }));
  };
  expect(about({ ...labels, app: 'a' })).toEqual([]);
  expect(about({ app: 'a' })).toEqual([
    `own: ${kind} team-a/one: spec.${path.join('.')} also selects pods of others, with whom the namespace is shared; received {"app":"a"}; ` +
      'fix: add app.kubernetes.io/managed-by: meshwright, app.kubernetes.io/part-of: demo',
  ]);
});

const fix = 'fix: add app.kubernetes.io/managed-by: meshwright, app.kubernetes.io/part-of: demo';
/** That an object selects pods of others. */
const selectsOthers = (of: string, path: string, received: string, whose: string) =>
  `own: ${of}: ${path} also selects pods of others, ${whose}; received ${received}; ${fix}`;

describe.each([
  ['shared', 'team-a', 'with whom the namespace is shared'],
  ['of others', 'team-b', 'whose namespace it is'],
  ['of Kubernetes', 'kube-system', 'whose namespace it is'],
])('in a namespace that is %s', (_, namespace, whose) => {
  const at = { namespace };
  const orders = objectOf(
    'apps/v1',
    'Deployment',
    {
      selector: { matchLabels: { ...labels, app: 'a' } },
      template: { metadata: { labels: { 'sidecar.istio.io/inject': 'false' } } },
    },
    { ...at, name: 'orders' },
  );

  test.each([
    ['v1', 'Service', 'spec.selector', { selector: { app: 'a' } }],
    ['networking.k8s.io/v1', 'NetworkPolicy', 'spec.podSelector.matchLabels', { podSelector: {} }],
    [
      'policy/v1',
      'PodDisruptionBudget',
      'spec.selector.matchLabels',
      { selector: { matchLabels: { app: 'a' } } },
    ],
    ['apps/v1', 'ReplicaSet', 'spec.selector.matchLabels', { selector: { matchLabels: { app: 'a' } } }],
    [security, 'AuthorizationPolicy', 'spec.selector.matchLabels', {}],
    [
      networking,
      'EnvoyFilter',
      'spec.workloadSelector.labels',
      { workloadSelector: { labels: { app: 'a' } } },
    ],
  ])('what is for pods is for those of the mesh alone: %s %s', (version, kind, path, spec) => {
    const received = JSON.stringify(field(spec, ...path.split('.').slice(1)) ?? {});
    expect(said(objectOf(version, kind, spec, at))).toEqual([
      selectsOthers(`${kind} ${namespace}/one`, path, received, whose),
    ]);
  });

  test('so it is where it selects labels of the mesh, too, or leads to no pods', () => {
    expect(said(objectOf('v1', 'Service', { ports: [] }, at))).toEqual([]);
    expect(said(objectOf('v1', 'Service', { selector: { ...labels, app: 'a' } }, at))).toEqual([]);
    expect(said(orders)).toEqual([]);
  });

  test('what holds for the whole namespace is refused', () => {
    const shared = namespace === 'team-a';
    expect(said(objectOf('v1', 'ResourceQuota', {}, at))).toEqual([
      `own: ResourceQuota ${namespace}/one holds for every pod of a namespace ${shared ? 'that is shared with others' : 'of others'}; fix: remove it, or put it into a namespace that the mesh has alone`,
    ]);
  });

  test('what names its object names one of the mesh', () => {
    const scaler = (name: string) =>
      objectOf(
        'autoscaling/v2',
        'HorizontalPodAutoscaler',
        { scaleTargetRef: { kind: 'Deployment', name } },
        at,
      );
    const policy = (target: object) => objectOf(security, 'AuthorizationPolicy', target, at);
    const problem = (of: string, path: string, received: string) =>
      `own: ${of} ${namespace}/one: ${path} is an object of others; received "${received}"; fix: name an object of the mesh, or remove it`;
    expect(said(orders, scaler('orders'))).toEqual([]);
    expect(said(orders, scaler('theirs'))).toEqual([
      problem('HorizontalPodAutoscaler', 'spec.scaleTargetRef', `Deployment ${namespace}/theirs`),
    ]);
    const ours = { kind: 'Deployment', name: 'orders' };
    const theirs = { kind: 'Gateway', group: 'gateway.networking.k8s.io', name: 'front' };
    expect(said(orders, policy({ targetRefs: [ours] }))).toEqual([]);
    expect(said(orders, policy({ targetRefs: [ours, theirs] }))).toEqual([
      problem('AuthorizationPolicy', 'spec.targetRefs[1]', `Gateway ${namespace}/front`),
    ]);
    expect(said(policy({ targetRef: theirs }))).toEqual([
      problem('AuthorizationPolicy', 'spec.targetRef', `Gateway ${namespace}/front`),
    ]);
  });

  test('rights are on what is named', () => {
    const rbac = 'rbac.authorization.k8s.io/v1';
    const role = (rule: object) => ({ ...objectOf(rbac, 'Role', undefined, at), rules: [rule] });
    const binding = (kind: string, name: string) => ({
      ...objectOf(rbac, 'RoleBinding', undefined, at),
      roleRef: { kind, name },
    });
    const named = { resources: ['leases'], verbs: ['get', 'update'], resourceNames: ['leader'] };
    const makes = { resources: ['leases'], verbs: ['create'] };
    for (const rule of [named, makes]) expect(said(role(rule), binding('Role', 'one'))).toEqual([]);
    expect(said(role({ resources: ['secrets'], verbs: ['get', 'create'] }))).toEqual([
      `own: Role ${namespace}/one: rules[0] gives rights on what others have in namespace ${namespace}; received {"verbs":["get","create"],"resources":["secrets"]}; fix: add resourceNames, of objects of the mesh`,
    ]);
    for (const [kind, name] of [
      ['ClusterRole', 'admin'],
      ['Role', 'theirs'],
    ] as const)
      expect(said(binding(kind, name))).toEqual([
        `own: RoleBinding ${namespace}/one gives rights on what others have in namespace ${namespace}; received "${kind} ${name}"; fix: bind a Role of the mesh there, whose rules have resourceNames`,
      ]);
  });
});

test('a Gateway at gateways of others claims no host that it does not name', () => {
  const gateway = (selector: object, ...hosts: readonly string[]) =>
    objectOf(networking, 'Gateway', {
      selector,
      servers: [
        { port: { number: 443 }, hosts: ['api.example'] },
        { port: { number: 80 }, hosts, tls: { httpsRedirect: true } },
      ],
    });
  expect(said(gateway({ ...labels, app: 'own' }, '*'))).toEqual([]);
  expect(said(gateway({ app: 'theirs' }, 'api.example', '*.api.example'))).toEqual([]);
  for (const every of ['*', '*/*', './*', 'shop/*'])
    expect(said(gateway({ app: 'theirs' }, 'api.example', every))).toEqual([
      `own: Gateway shop/one: spec.servers[1].hosts has every host of gateways that belong to others; received ["${every}"]; fix: name the hosts`,
    ]);
});
