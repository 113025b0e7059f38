import { expect, test } from '@jest/globals';
import type { KubeObject } from '../kube/kube-object.ts';
import { isAsApplied } from './as-applied.ts';

const declared = {
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

const container = declared.spec.template.spec.containers[0];

/** The live object as JSON, with what controllers and the API server added. */
const live = JSON.stringify({
  ...declared,
  metadata: {
    ...declared.metadata,
    uid: 'u',
    resourceVersion: '7',
    labels: { theirs: 'x', app: 'catalog' },
    managedFields: [{ manager: 'kubelet', operation: 'Update', subresource: 'status', fieldsV1: {} }, ours],
  },
  spec: {
    ...declared.spec,
    strategy: { type: 'RollingUpdate' },
    template: {
      spec: {
        ...declared.spec.template.spec,
        containers: [
          { name: 'injected', image: 'x' },
          { ...container, ports: [{ containerPort: 80, protocol: 'TCP' }] },
        ],
      },
    },
  },
  status: { replicas: 1 },
});

const isLiveAsApplied = (text: string) => isAsApplied(declared, JSON.parse(text) as KubeObject);

test('an object is as applied, whatever others added to it', () => {
  expect(isLiveAsApplied(live)).toBe(true);
});

test.each<[string, string, string]>([
  ['has another value', '"image":"catalog:1"', '"image":"catalog:0"'],
  ['has another value in a list that is one field', '"args":["a","b"]', '"args":["a","b","c"]'],
  ['lost a field', '"spec":{"replicas":1,', '"spec":{'],
  ['lost an item of a list', '[{"name":"tmp","emptyDir":{}}]', '[]'],
  ['lost a label', ',"app":"catalog"', ''],
  ['has a field that another manager took over, with the same value', '"f:replicas":{},', ''],
  [
    'has a field of ours that is no longer declared',
    '"f:replicas":{},',
    '"f:replicas":{},"f:strategy":{"f:type":{}},',
  ],
  ['was never applied by us', '"manager":"meshwright"', '"manager":"kubectl"'],
  ['was written by us in another way', '"operation":"Apply"', '"operation":"Update"'],
  [
    'was applied in another version',
    '"apiVersion":"apps/v1","fieldsV1"',
    '"apiVersion":"apps/v2","fieldsV1"',
  ],
  ['is being deleted', '"uid":"u"', '"deletionTimestamp":"2026-01-01T00:00:00Z"'],
  ['says nothing of its managers', '"managedFields"', '"other"'],
])('it is not when it %s', (_, part, instead) => {
  expect(live).toContain(part);
  expect(isLiveAsApplied(live.replace(part, instead))).toBe(false);
});

test('an empty object that is declared stays as applied when others fill it', () => {
  const identity = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' } };
  const entry = { ...ours, apiVersion: 'v1', fieldsV1: { 'f:data': { '.': {} } } };
  const filled = { ...identity, metadata: { name: 'm', managedFields: [entry] }, data: { theirs: '1' } };
  expect(isAsApplied({ ...identity, data: {} }, filled)).toBe(true);
});
