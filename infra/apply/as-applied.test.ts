import { expect, test } from '@jest/globals';
import type { KubeObject } from '../kube/kube-object.ts';
import { isAsApplied } from './as-applied.ts';

const declared: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'catalog', namespace: 'shop', labels: { app: 'catalog' } },
  spec: {
    replicas: 1,
    template: {
      spec: {
        volumes: [{ name: 'tmp', emptyDir: {} }],
        containers: [
          { name: 'catalog', image: 'catalog:1', args: ['a', 'b'], ports: [{ containerPort: 80 }] },
        ],
      },
    },
  },
};

/** As an API server notes an apply of the above: lists by key, `args` as one, what it defaults in nobody's name. */
const fieldsV1 = {
  'f:metadata': { 'f:labels': { 'f:app': {} } },
  'f:spec': {
    'f:replicas': {},
    'f:template': {
      'f:spec': {
        'f:volumes': { 'k:{"name":"tmp"}': { '.': {}, 'f:name': {}, 'f:emptyDir': {} } },
        'f:containers': {
          'k:{"name":"catalog"}': {
            '.': {},
            'f:name': {},
            'f:image': {},
            'f:args': {},
            'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
          },
        },
      },
    },
  },
};

const ours = { manager: 'meshwright', operation: 'Apply', apiVersion: 'apps/v1', fieldsV1 };

/** Of this realm, unlike what structuredClone makes under jest. */
const clone = (value: unknown): any => JSON.parse(JSON.stringify(value));

/** The live object, with what controllers and the API server added. */
function live(change: (object: Record<string, any>) => void = () => undefined): KubeObject {
  const object: Record<string, any> = clone(declared);
  object['metadata'] = {
    ...object['metadata'],
    uid: 'u',
    resourceVersion: '7',
    labels: { app: 'catalog', theirs: 'x' },
    managedFields: clone([
      { manager: 'kube-controller-manager', operation: 'Update', subresource: 'status', fieldsV1: {} },
      ours,
    ]),
  };
  object['spec'].strategy = { type: 'RollingUpdate' };
  const { spec } = object['spec'].template;
  spec.containers.unshift({ name: 'injected', image: 'x' });
  spec.containers[1].ports[0].protocol = 'TCP';
  object['status'] = { replicas: 1 };
  change(object);
  return object as unknown as KubeObject;
}

test('an object is as applied, whatever others added to it', () => {
  expect(isAsApplied(declared, live())).toBe(true);
});

const container = (object: Record<string, any>) => object['spec'].template.spec.containers[1];

test.each<[string, (object: Record<string, any>) => void]>([
  ['has another value', (object) => (container(object).image = 'catalog:0')],
  ['has another value in a list that is one field', (object) => container(object).args.push('c')],
  ['lost a field', (object) => delete object['spec'].replicas],
  ['lost an item of a list', (object) => object['spec'].template.spec.volumes.pop()],
  ['lost a label', (object) => delete object['metadata'].labels.app],
  [
    'has a field that another manager took over, with the same value',
    (object) => delete object['metadata'].managedFields[1].fieldsV1['f:spec']['f:replicas'],
  ],
  [
    'has a field of ours that is no longer declared',
    (object) => {
      object['spec'].paused = true;
      object['metadata'].managedFields[1].fieldsV1['f:spec']['f:paused'] = {};
    },
  ],
  ['was never applied by us', (object) => (object['metadata'].managedFields[1].manager = 'kubectl')],
  [
    'was written by us in another way',
    (object) => (object['metadata'].managedFields[1].operation = 'Update'),
  ],
  [
    'was applied in another version',
    (object) => (object['metadata'].managedFields[1].apiVersion = 'apps/v2'),
  ],
  ['is being deleted', (object) => (object['metadata'].deletionTimestamp = '2026-01-01T00:00:00Z')],
  ['says nothing of its managers', (object) => delete object['metadata'].managedFields],
])('it is not when it %s', (_, change) => {
  expect(isAsApplied(declared, live(change))).toBe(false);
});

test('an empty object that is declared stays as applied when others fill it', () => {
  const identity = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' } };
  const entry = { ...ours, apiVersion: 'v1', fieldsV1: { 'f:data': { '.': {} } } };
  const filled = { ...identity, metadata: { name: 'm', managedFields: [entry] }, data: { theirs: '1' } };
  expect(isAsApplied({ ...identity, data: {} } as KubeObject, filled as unknown as KubeObject)).toBe(true);
});
