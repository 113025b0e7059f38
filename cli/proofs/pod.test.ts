import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { KubeApi } from '../../infra/testing/kube-api.ts';
import { problemOf } from '../../infra/testing/problems.ts';
import { runProgram } from './pod.ts';

let api: KubeApi;
beforeAll(async () => {
  api = await KubeApi.start('east');
});
afterAll(() => api.stop());
afterEach(() => {
  api.intervene = () => undefined;
  api.objects.clear();
  api.requests.length = 0;
});

const pods = '/api/v1/namespaces/default/pods';
const ended = {
  phase: 'Succeeded',
  containerStatuses: [{ name: 'program', state: { terminated: { exitCode: 0 } } }],
};
type Pod = Parameters<KubeApi['put']>[0];
const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
const pod = (name: string, labels: object = {}, creationTimestamp = minutesAgo(11)): Pod => ({
  ...{ apiVersion: 'v1', kind: 'Pod', status: ended },
  metadata: { name, namespace: 'default', labels, creationTimestamp },
});

/** A kubelet: a pod runs at once, and prints its argument. `made` sees each pod before that. */
function runPods(made: (pod: Pod) => Pod = (one) => one): void {
  api.intervene = ({ method, path, body }) => {
    if (method === 'POST' && path === pods) {
      const created = { ...(body as Pod), status: ended };
      api.put(created);
      const answer = { status: 201, body: api.objects.get(`${pods}/${String(created.metadata['name'])}`) };
      const seen = made(created);
      if (seen !== created) api.put(seen);
      return answer;
    }
    const [, name] = /\/pods\/([^/]+)\/log$/.exec(path) ?? [];
    if (name === undefined) return undefined;
    const spec = api.objects.get(`${pods}/${name}`)?.['spec'] as {
      readonly containers: readonly [{ readonly command: readonly string[] }];
    };
    return { status: 200, body: { message: spec.containers[0].command.at(-1) } };
  };
}
const program = (printed: string) =>
  runProgram(api.client, {
    ...{ name: 'meshwright-outsider-shop', namespace: 'default', labels: {} },
    ...{ image: 'localhost/mesh/catalog', source: '', args: [printed] },
  });

test('each of two runs at a time has a pod of its own, reads what that printed, and deletes it', async () => {
  runPods();
  expect(await Promise.all(['one', 'two'].map(program))).toEqual(['one', 'two']);
  const made = api.requests
    .filter(({ method }) => method === 'POST')
    .map(({ body }) => (body as Pod).metadata);
  expect(made.map(({ name }) => name)).toEqual(
    Array(2).fill(expect.stringMatching(/^meshwright-outsider-shop-[0-9a-f]{8}$/)),
  );
  expect(api.objects.size).toBe(0);
});

test('pods of others stay, whatever their name, and so does one that another run may still read; what an interrupted run left goes', async () => {
  const ours = { 'app.kubernetes.io/managed-by': 'meshwright' };
  const left = pod('meshwright-outsider-shop-0a1b2c3d', ours);
  const kept = [
    pod('meshwright-outsider'),
    pod('meshwright-outsider-shop', ours),
    pod('meshwright-outsider-shop-11111111'),
    pod('meshwright-outsider-shop-22222222', ours, minutesAgo(9)),
    pod('meshwright-outsider-shop-eu-33333333', ours),
  ];
  for (const one of [left, ...kept]) api.put(one);
  runPods();
  expect(await program('said')).toBe('said');
  expect([...api.objects.keys()]).toEqual(kept.map(({ metadata }) => `${pods}/${String(metadata['name'])}`));
});

test('a pod that somebody put in the place of ours is not read, and stays', async () => {
  runPods(({ metadata, ...rest }) => ({ ...rest, metadata: { ...metadata, uid: 'theirs' } }));
  const { exitCode, message } = await problemOf(program('said'));
  const [path = ''] = [...api.objects.keys()];
  const name = path.split('/').at(-1) ?? '';
  expect([exitCode, message]).toEqual([
    1,
    `pod default/${name} in east: was replaced by another one of its name`,
  ]);
  expect(api.objects.size).toBe(1);
});

test('a pod has the annotations by which its proxy gets what those of the caller get', async () => {
  runPods();
  const annotations = { 'sidecar.istio.io/userVolume': '{}' };
  await runProgram(api.client, {
    ...{ name: 'meshwright-probe-orders', namespace: 'default', labels: {}, annotations },
    ...{ image: 'localhost/mesh/catalog', source: '', args: ['one'] },
  });
  await program('two');
  const made = api.requests
    .filter(({ method }) => method === 'POST')
    .map(({ body }) => (body as Pod).metadata);
  expect(made.map((metadata) => metadata['annotations'])).toEqual([annotations, undefined]);
});
