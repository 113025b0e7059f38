import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, openClients } from './connection.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { problemOf } from '../testing/problems.ts';

let folder: string;
let api: KubeApi;
const file = (name: string, content: string) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const config = (server: string) => `
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "${server}", insecure-skip-tls-verify: true}}]
users: [{name: u, user: {token: very-secret}}]
contexts:
  - {name: production-east, context: {cluster: c, user: u}}
  - {name: production-west, context: {cluster: c, user: u}}
  - {name: broken, context: {cluster: c, user: nobody}}
`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'connection-'));
  api = await KubeApi.start('east');
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await api.stop();
});

describe('connect', () => {
  test('reaches every cluster with its credentials', async () => {
    const clients = await connect(['east'], { east: { kubeconfig: api.kubeconfig, context: 'east' } });
    expect(Object.keys(clients)).toEqual(['east']);
    expect(api.requests.map(({ path, authorization }) => [path, authorization])).toEqual([
      ['/version', 'Bearer admin-token'],
    ]);
  });

  test('names all that is wrong with the kubeconfigs at once', async () => {
    const good = file('good', config('https://127.0.0.1:1'));
    const bad = file('bad', 'users: [{name: u, user: {token: very-secret');
    const access = {
      missing: { kubeconfig: join(folder, 'none'), context: 'x' },
      bad: { kubeconfig: bad, context: 'x' },
      near: { kubeconfig: good, context: 'production-est' },
      far: { kubeconfig: good, context: 'kind' },
      broken: { kubeconfig: good, context: 'broken' },
      empty: { kubeconfig: file('empty', config('')), context: 'production-east' },
      nowhere: { kubeconfig: file('nowhere', config('production:6443')), context: 'production-east' },
    };
    const clusters = ['none', ...Object.keys(access)];
    expect(await problemOf(connect(clusters, access))).toEqual({
      exitCode: 2,
      message: [
        'cluster none: has no kubeconfig context; fix: name one with --context none=CONTEXT',
        `cluster missing: the kubeconfig file does not exist; received "${join(folder, 'none')}"; fix: name an existing file in KUBECONFIG`,
        `cluster bad: the kubeconfig file cannot be parsed; received "${bad}"; allowed a kubeconfig (v1 Config) in YAML or JSON`,
        `cluster near: ${good} has no such context; received "production-est"; allowed production-east, production-west, broken; fix: did you mean production-east?`,
        `cluster far: ${good} has no such context; received "kind"; allowed production-east, production-west, broken`,
        `cluster broken: context broken names a cluster or user that ${good} does not have, or a cluster without a server; fix: complete the context in that file`,
        `cluster empty: context production-east names a cluster or user that ${join(folder, 'empty')} does not have, or a cluster without a server; fix: complete the context in that file`,
        `cluster nowhere: the server of context production-east in ${join(folder, 'nowhere')} is not an https URL; received "production:6443"; allowed https://HOST:PORT`,
      ].join('\n'),
    });
  });

  test('names the key of the stack file that it was told of', () => {
    const good = file('good', config('https://127.0.0.1:1'));
    const access = {
      missing: { kubeconfig: join(folder, 'none'), context: 'x' },
      near: { kubeconfig: good, context: 'production-est' },
      far: { kubeconfig: good, context: 'kind' },
    };
    expect(() => openClients(Object.keys(access), access, 'Pulumi.prod.yaml')).toThrow(
      new Error(
        [
          `cluster missing: the kubeconfig file does not exist; received "${join(folder, 'none')}"; fix: correct kubeconfig of meshwright:clusters.missing in Pulumi.prod.yaml, or give --context missing=CONTEXT`,
          `cluster near: ${good} has no such context; received "production-est"; allowed production-east, production-west, broken; fix: did you mean production-east? correct context of meshwright:clusters.near in Pulumi.prod.yaml`,
          `cluster far: ${good} has no such context; received "kind"; allowed production-east, production-west, broken; fix: correct context of meshwright:clusters.far in Pulumi.prod.yaml`,
        ].join('\n'),
      ),
    );
  });

  test('names every server that does not answer, with its address and the cause', async () => {
    const kubeconfig = file('dead', config('https://127.0.0.1:1'));
    const access = {
      east: { kubeconfig, context: 'production-east' },
      west: { kubeconfig, context: 'production-west' },
    };
    const line = (cluster: string) =>
      `cluster ${cluster}: its API server https://127.0.0.1:1 cannot be reached: connect ECONNREFUSED 127.0.0.1:1; fix: start the cluster or correct the address in the kubeconfig, then run the command again`;
    expect(await problemOf(connect(['east', 'west'], access))).toEqual({
      exitCode: 1,
      message: `${line('east')}\n${line('west')}`,
    });
  });

  test('names a server that refuses the credentials', async () => {
    api.intervene = () => ({ status: 401, body: { message: 'Unauthorized' } });
    const work = connect(['east'], { east: { kubeconfig: api.kubeconfig, context: 'east' } });
    expect(await problemOf(work)).toEqual({
      exitCode: 1,
      message: 'cluster east: its API server refused GET /version: Unauthorized',
    });
    api.intervene = () => undefined;
  });
});

test('openClients asks no server', () => {
  const kubeconfig = file('offline', config('https://127.0.0.1:1'));
  expect(openClients(['east'], { east: { kubeconfig, context: 'production-east' } })['east']?.server).toBe(
    'https://127.0.0.1:1',
  );
});
