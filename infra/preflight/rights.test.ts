import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { expectFile } from '../../charts/testing/golden.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { rightsYaml } from '../testing/rights-yaml.ts';
import { rightsOf, type Command, type RightsFor } from './rights.ts';

const root = join(import.meta.dirname, '..', '..');
const rbac = 'rbac.authorization.k8s.io';

/** An object of each kind that a construct makes, by the golden files of all constructs. */
const ofConstructs = globSync('charts/**/__golden__/*.yaml', { cwd: root })
  .flatMap((file) => parseAllDocuments(readFileSync(join(root, file), 'utf8')))
  .map((document) => document.toJS() as KubeObject)
  .filter(
    ({ apiVersion, metadata }) => metadata.namespace !== undefined && !apiVersion.startsWith('install.'),
  );
const named = (apiVersion: string, kind: string, names: readonly string[], namespace?: string) =>
  names.map((name): KubeObject => {
    return { apiVersion, kind, metadata: { name, ...(namespace && { namespace }) } };
  });
/** What an Istio release and its remote reader have outside of namespaces. The suite 7k shows that none is missing. */
const roles = ['istio-cni', 'istiod-clusterrole-istio-system', 'istiod-gateway-controller-istio-system'];
const definitions = [
  ...['authorizationpolicies', 'peerauthentications', 'requestauthentications'].map(
    (name) => `${name}.security.istio.io`,
  ),
  ...[
    'destinationrules',
    'envoyfilters',
    'gateways',
    'proxyconfigs',
    'serviceentries',
    'sidecars',
    'virtualservices',
    'workloadentries',
    'workloadgroups',
  ].map((name) => `${name}.networking.istio.io`),
  'telemetries.telemetry.istio.io',
  'trafficextensions.extensions.istio.io',
  'wasmplugins.extensions.istio.io',
];
const objects = [
  ...ofConstructs.filter(({ kind }) => kind !== 'Role'),
  ...named('security.istio.io/v1', 'RequestAuthentication', ['edge'], 'shop'),
  ...named('v1', 'Namespace', ['istio-system', 'istio-ingress', 'istio-eastwest', 'shop']),
  ...named(`${rbac}/v1`, 'Role', ['istio-ingressgateway', 'istio-remote-reader', 'istiod'], 'istio-system'),
  ...named(`${rbac}/v1`, 'ClusterRole', ['istio-remote-reader', 'istio-cni-repair-role', ...roles]),
  ...named(`${rbac}/v1`, 'ClusterRoleBinding', [
    'istio-remote-reader',
    'istio-cni-repair-rolebinding',
    ...roles,
  ]),
  ...named('apiextensions.k8s.io/v1', 'CustomResourceDefinition', definitions),
  ...named('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', ['istio-sidecar-injector']),
  ...named('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', [
    'istio-validator-istio-system',
    'istiod-default-validator',
  ]),
];
const scope: RightsFor = { objects, clusters: ['east', 'west'], makesNamespaces: false };
const commands: readonly Command[] = ['up', 'status', 'down'];
/** On an Istio of others: a mesh with an ingress gateway of its own, and a namespace that it shares. */
const scopeOnExisting: RightsFor = {
  ...scope,
  objects: [
    ...ofConstructs.filter(({ kind }) => kind !== 'Role'),
    ...named('security.istio.io/v1', 'RequestAuthentication', ['edge'], 'shop'),
    ...named('v1', 'Namespace', ['shop', 'shop-ingress']),
    ...named(`${rbac}/v1`, 'Role', ['shop-ingress'], 'shop-ingress'),
  ],
  onExisting: true,
  sharedNamespaces: ['team-a'],
};

test.each(commands)('docs/rights/%s.yaml has what the command may have to do, and no more', (command) => {
  expectFile(new URL(`../../docs/rights/${command}.yaml`, import.meta.url), rightsYaml(command, scope));
});

test.each(commands)(
  'docs/rights/existing-istio/%s.yaml has what the command may have to do on an Istio of others, and no more',
  (command) => {
    const file = new URL(`../../docs/rights/existing-istio/${command}.yaml`, import.meta.url);
    expectFile(file, rightsYaml(command, scopeOnExisting));
  },
);

describe.each(commands)('the rights for %s', (command) => {
  const rights = rightsOf(command, scope);

  test('reach no Secret of others', () => {
    const toSecrets = rights.filter(({ resource }) => ['secrets', '*'].includes(resource));
    expect(toSecrets.map(({ place }) => place)).toEqual(['control-plane']);
    // A program in a pod, or a new pod, would get at what is mounted there.
    const toPods = rights.filter(
      ({ resource, verbs }) =>
        resource.startsWith('pods/') || (resource === 'pods' && verbs.some((verb) => verb !== 'list')),
    );
    expect(toPods.map(({ place }) => place)).not.toContain('cluster');
  });

  test('change outside of namespaces nothing that the mesh does not have', () => {
    const changing = rights.filter(
      ({ place, verbs, names, resource }) =>
        place === 'cluster' &&
        names === undefined &&
        !resource.endsWith('reviews.authentication.k8s.io') &&
        !resource.endsWith('reviews.authorization.k8s.io') &&
        verbs.some((verb) => !['get', 'list'].includes(verb)),
    );
    expect(changing).toEqual([]);
  });
});

describe('what holds data', () => {
  const onVolumes = (command: Command, of: readonly KubeObject[]) =>
    rightsOf(command, { ...scope, objects: of })
      .filter(({ resource }) => resource.startsWith('persistentvolume'))
      .map(({ resource, place, verbs, names = [] }) => [resource, place, ...names, ...verbs].join(' '));
  const set = named('apps/v1', 'StatefulSet', ['redis'], 'shop');

  test('is listed where a StatefulSet may leave it, by `down` as by `up`, and by nothing else', () => {
    const listed = ['persistentvolumeclaims mesh list'];
    expect([onVolumes('up', set), onVolumes('down', set)]).toEqual([listed, listed]);
    expect(onVolumes('status', set)).toEqual([]);
    const none = named('apps/v1', 'Deployment', ['catalog'], 'shop');
    expect([onVolumes('up', none), onVolumes('down', none)]).toEqual([[], []]);
  });

  test('is made where it is declared, and deleted by nobody', () => {
    const declared = [
      ...named('v1', 'PersistentVolumeClaim', ['orders'], 'shop'),
      ...named('v1', 'PersistentVolume', ['orders']),
    ];
    expect(onVolumes('up', declared)).toEqual([
      'persistentvolumeclaims mesh get list create patch',
      'persistentvolumes cluster list',
      'persistentvolumes cluster orders get create patch',
    ]);
    expect(onVolumes('down', declared)).toEqual([
      'persistentvolumeclaims mesh list',
      'persistentvolumes cluster list',
    ]);
  });
});

describe.each(commands)('on an Istio of others, the rights for %s', (command) => {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
  const workload = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop' },
  };
  const rights = rightsOf(command, {
    ...scope,
    objects: [namespace, workload],
    makesNamespaces: true,
    onExisting: true,
  });

  test('reach no Secret, no token and no pod of theirs', () => {
    const close = rights.filter(({ resource }) => /secret|token|exec/.test(resource));
    expect(close.map(({ resource, place }) => `${resource} ${place}`)).toEqual(
      command === 'up' ? ['pods/exec mesh'] : [],
    );
  });

  test('let it see the control plane, whose namespace is none of the mesh', () => {
    const seen = rights.filter(({ place }) => place === 'control-plane');
    const resources = ['configmaps', 'deployments.apps', 'namespaces'];
    expect(seen.map(({ resource, verbs }) => [resource, ...verbs].join(' '))).toEqual(
      command === 'down' ? [] : resources.map((resource) => `${resource} get`),
    );
  });

  test('change nothing but what the mesh declares', () => {
    const changing = rights.filter(
      ({ verbs, place }) => place !== 'default' && verbs.some((verb) => !['get', 'list'].includes(verb)),
    );
    const places = changing.map(({ resource, place, names = [] }) => [resource, place, ...names].join(' '));
    const own = ['configmaps mesh', 'deployments.apps mesh', 'namespaces cluster shop'];
    const ofUp = [...own.slice(0, 2), 'deployments/scale.apps mesh', ...own.slice(2)];
    const all = { up: [...ofUp, 'pods mesh', 'pods/exec mesh'], status: [], down: own };
    expect(places.sort()).toEqual(all[command]);
  });

  test('look at what others have only where the mesh shares it', () => {
    const existing = { ...scope, objects: [namespace, workload], makesNamespaces: true, onExisting: true };
    const shares = rightsOf(command, { ...existing, sharedNamespaces: ['team-a'], joinsGateways: true });
    const more = shares.filter(
      (one) => !rights.some((other) => JSON.stringify(other) === JSON.stringify(one)),
    );
    const list = (resource: string) => ({ place: 'cluster', resource, verbs: ['list'] });
    const namespaces = { ...list('namespaces'), verbs: ['get'], names: ['kube-system', 'team-a'] };
    const ofUp = [
      list('gateways.networking.istio.io'),
      namespaces,
      list('requestauthentications.security.istio.io'),
      list('virtualservices.networking.istio.io'),
    ];
    expect(more).toEqual({ up: ofUp, status: [], down: [namespaces] }[command]);
  });
});
