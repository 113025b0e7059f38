import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { CronJob, Job, lab, Mesh } from '../../charts/index.ts';
import { synthesize } from '../../charts/synth.ts';
import { planMesh } from '../plan/plan.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { root } from '../testing/meshes.ts';
import { nativeSidecarProblems } from './native-sidecars.ts';

let api: KubeApi;
const warnings: string[] = [];
beforeAll(async () => {
  api = await KubeApi.start('east');
});
afterAll(() => api.stop());
afterEach(() => {
  api.objects.clear();
  api.requests.length = 0;
  api.intervene = () => undefined;
  warnings.length = 0;
});

const image = 'registry.example/migrate:1.2.0';
const planOf = (declare: (shop: ReturnType<Mesh<'east'>['namespace']>) => unknown) => {
  const clusters = { east: { network: 'net-east', region: 'r', zone: 'z' } };
  const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters, platform: lab });
  declare(mesh.namespace('shop'));
  return planMesh(mesh.model(), synthesize(mesh));
};
const withJobs = planOf((shop) => [
  new Job(shop, 'migrate', { image }),
  new CronJob(shop, 'report', { image, schedule: '@daily' }),
]);
const [job = ''] = withJobs.steps.flatMap(({ objects }) =>
  objects.flatMap(({ kind, metadata }) => (kind === 'Job' ? [metadata.name] : [])),
);
const said = (plan = withJobs) =>
  nativeSidecarProblems(api.client, plan, (line) => warnings.push(line), undefined);
const node = (kubeletVersion: string) => {
  api.put({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'one' },
    status: { nodeInfo: { kubeletVersion } },
  });
};
/** The namespace as it will be, and what admission makes of pods there. */
const admit = (spec: object | undefined) => {
  const [home] = withJobs.steps.flatMap(({ objects }) =>
    objects.filter(({ kind, metadata }) => kind === 'Namespace' && metadata.name === 'shop'),
  );
  if (home !== undefined) api.put(home);
  api.intervene = ({ method }) =>
    method !== 'POST'
      ? undefined
      : spec === undefined
        ? { status: 403, body: { message: 'no dry runs here' } }
        : { status: 201, body: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'check' }, spec } };
};
const proxy = { name: 'istio-proxy' };
const asked = () => api.requests.filter(({ method }) => method === 'POST');

test('a mesh without jobs is not looked at', async () => {
  expect(await said(planOf(() => undefined))).toEqual([]);
  expect(api.requests).toEqual([]);
});

test('nodes whose kubelet knows no native sidecars are refused, with all whose pods would never end', async () => {
  node('v1.28.9');
  expect(await said()).toEqual([
    {
      where: 'cluster east',
      what: `its nodes know no native sidecars, and pods of Job shop/${job}, CronJob shop/report would never end, as their proxy runs on`,
      received: 'one (v1.28.9)',
      allowed: 'kubelets of Kubernetes 1.29 or newer',
      fix: 'upgrade the nodes, or run them in another cluster',
    },
  ]);
});

describe('pods', () => {
  test('are not tried where their namespace is not there yet, or is about to change', async () => {
    node('v1.29.0');
    expect(await said()).toEqual([]);
    admit({ containers: [proxy] });
    api.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    expect(await said()).toEqual([]);
    expect(asked()).toEqual([]);
  });

  test('that get their proxy as a native sidecar are right, and those that get none are told elsewhere', async () => {
    admit({ initContainers: [{ ...proxy, restartPolicy: 'Always' }], containers: [{ name: 'check' }] });
    expect(await said()).toEqual([]);
    expect(asked()).toHaveLength(1);
    admit({ containers: [{ name: 'check' }] });
    expect(await said()).toEqual([]);
  });

  test.each([
    ['beside the others', { containers: [{ name: 'check' }, proxy] }],
    [
      'that an API server has made an ordinary init container',
      { initContainers: [proxy], containers: [{ name: 'check' }] },
    ],
  ])('that get a proxy %s are refused', async (_, spec) => {
    admit(spec);
    expect(await said()).toEqual([
      {
        where: `east: Job shop/${job}`,
        what: 'its pods would never end: the injector of Istio gives them a proxy that runs on when their containers have ended',
        received: 'in a dry run, istio-proxy among the containers, or without restartPolicy Always',
        allowed: 'istio-proxy as a native sidecar: an init container with restartPolicy Always',
        fix: 'look whether the API server has the feature gate SidecarContainers on, and whether the injector has a template of its own',
      },
    ]);
  });

  test('that may not be tried are only told', async () => {
    admit(undefined);
    expect(await said()).toEqual([]);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^cluster east: whether pods in namespace shop get native sidecars was not seen before the apply, as a dry run was refused: .*no dry runs here/,
      ),
    ]);
  });
});
