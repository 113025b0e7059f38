import { expect, test } from '@jest/globals';
import { formatProblem } from '../../../core/problem.ts';
import { objectOf, renderedOf } from '../../testing/rendered.ts';
import { othersAlone } from './others-alone.ts';

const labels = { 'app.kubernetes.io/managed-by': 'meshwright', 'app.kubernetes.io/part-of': 'demo' };
const istio = { labels, shared: ['team-a'], closed: ['istio-system'] };
const networking = 'networking.istio.io/v1';
const security = 'security.istio.io/v1';

/** What the gate says of objects, on an Istio of others and on the mesh's own. */
function said(...objects: readonly ReturnType<typeof objectOf>[]): readonly string[] {
  const rendered = renderedOf(objects);
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

test('in a shared namespace, what is said by reference or leads to no pods is about no pods of others', () => {
  const at = { namespace: 'team-a' };
  const by = { targetRefs: [{ kind: 'Service', name: 'orders', group: '' }] };
  expect(said(objectOf(security, 'AuthorizationPolicy', by, at))).toEqual([]);
  expect(said(objectOf('v1', 'Service', { ports: [] }, at))).toEqual([]);
  expect(said(objectOf('v1', 'Service', { selector: { ...labels, app: 'a' } }, at))).toEqual([]);
  const fix = 'fix: add app.kubernetes.io/managed-by: meshwright, app.kubernetes.io/part-of: demo';
  const all = 'also selects pods of others, with whom the namespace is shared';
  expect(said(objectOf('v1', 'Service', { selector: { app: 'a' } }, at))).toEqual([
    `own: Service team-a/one: spec.selector ${all}; received {"app":"a"}; ${fix}`,
  ]);
  expect(said(objectOf('networking.k8s.io/v1', 'NetworkPolicy', { podSelector: {} }, at))).toEqual([
    `own: NetworkPolicy team-a/one: spec.podSelector.matchLabels ${all}; received {}; ${fix}`,
  ]);
});
