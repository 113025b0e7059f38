import { expect, test } from '@jest/globals';
import { image, resources, said, type Own } from '../../testing/own-objects.ts';

const listed = (path: string) =>
  `fix: take it from a Secret; if it is not a secret, list ${path} in the annotation meshwright/not-secret, or of a workload in pod.notSecret with the reason`;

const map = (data: object, annotations: Readonly<Record<string, string>> = {}): Own => ({
  ...{ apiVersion: 'v1', kind: 'ConfigMap', annotations },
  body: { data },
});

test('files in a ConfigMap are looked into, and an exception is for one setting of one of them', () => {
  const data = {
    'app.properties': 'db.user=shop\ndb.password=hunter2\n',
    'b.json': '{"db":{"password":"x"}}',
  };
  const found = [
    `demo/custom: ConfigMap shop/own: data app.properties: db.password has the name of a secret, in plain text; ${listed('data.app.properties.db.password')}`,
    `demo/custom: ConfigMap shop/own: data b.json: db.password has the name of a secret, in plain text; ${listed('data.b.json.db.password')}`,
  ];
  expect(said(map(data))).toEqual(found);
  expect(said(map(data, { 'meshwright/not-secret': 'data.b.json.db.password,db.password' }))).toEqual(
    found.slice(0, 1),
  );
});

test('what a whole file looks like is told once', () => {
  const url = 'postgres://shop:hunter2@db.example/shop';
  expect(said(map({ 'app.env': `DATABASE=${url}\n` }))).toEqual([
    `demo/custom: ConfigMap shop/own: data app.env holds what looks like a URL with a password, in plain text; ${listed('data.app.env')}`,
  ]);
});

test('a text in bytes is a file, too; bytes beside texts are none', () => {
  const bytes = (text: string) => ({ 'app.env': Buffer.from(text).toString('base64') });
  const own = (binaryData: object): Own => ({ ...map({}), body: { binaryData } });
  expect(said(own(bytes('TOKEN=hunter2\n')))).toEqual([
    `demo/custom: ConfigMap shop/own: binaryData app.env: TOKEN has the name of a secret, in plain text; ${listed('binaryData.app.env.TOKEN')}`,
  ]);
  expect(said(own(bytes('\0\x01\nTOKEN=hunter2\n')))).toEqual([]);
});

test.each([
  ['ReplicaSet', 'apps/v1'],
  ['ReplicationController', 'v1'],
  ['Rollout', 'argoproj.io/v1alpha1'],
  ['Whatever', 'example.com/v1'],
])('pods of a %s have no secrets in plain text either', (kind, apiVersion) => {
  const env = [{ name: 'DB_PASSWORD', value: 'hunter2' }];
  const template = { metadata: {}, spec: { containers: [{ name: 'a', image, resources, env }] } };
  const found = said({ apiVersion, kind, body: { spec: { template } } });
  expect(found.filter((line) => line.includes('in plain text'))).toEqual([
    `demo/custom: ${kind} shop/own: env DB_PASSWORD of container a has the name of a secret, in plain text; ` +
      'fix: take it from a Secret; if it is not a secret, write { value: TEXT, notSecret: REASON } in env, ' +
      'or list a.env.DB_PASSWORD in the annotation meshwright/not-secret, or of a workload in pod.notSecret with the reason',
  ]);
});
