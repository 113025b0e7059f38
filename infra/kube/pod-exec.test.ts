import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { execInPod } from './pod-exec.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { problemOf } from '../testing/problems.ts';

let api: KubeApi;
let ran: (readonly [string, readonly string[]])[];
beforeAll(async () => {
  api = await KubeApi.start('east');
});
afterAll(() => api.stop());
beforeEach(() => {
  ran = [];
});

const command = ['pilot-discovery', 'request', 'GET', '/debug/clusterz'];
const run = (pod = 'istiod-1') =>
  execInPod(api.client, { namespace: 'istio-system', pod, name: 'discovery' }, command);

test('returns what the program writes, however long', async () => {
  const stdout = 'line\n'.repeat(5_000);
  api.run = (pod, command) => {
    ran.push([pod, command]);
    return { stdout, stderr: 'a warning' };
  };
  expect(await run()).toBe(stdout);
  expect(ran).toEqual([['istiod-1', command]]);
});

test('tells how the program failed, and what it said', async () => {
  const where = 'east: Pod istio-system/istiod-1: `pilot-discovery request GET /debug/clusterz`: ';
  api.run = () => ({ stderr: 'connection refused\n', exitCode: 3 });
  expect(await problemOf(run())).toEqual({ exitCode: 1, message: `${where}connection refused` });
  api.run = () => ({ exitCode: 137 });
  expect((await problemOf(run())).message).toBe(
    `${where}command terminated with non-zero exit code: exit status 137`,
  );
});

test('tells of a pod that is not there', async () => {
  api.run = () => undefined;
  expect(await problemOf(run('gone'))).toEqual({
    exitCode: 1,
    message:
      'east: Pod istio-system/gone: `pilot-discovery request GET /debug/clusterz`: the API server refused it',
  });
});
