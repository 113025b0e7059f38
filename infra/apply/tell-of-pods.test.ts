import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { KubeApi } from '../testing/kube-api.ts';
import { deploymentOf, podOf, replicaSetOf, waiting } from '../testing/pods.ts';
import { podTimes } from './pod-watch.ts';
import { tellOfPods } from './tell-of-pods.ts';

let api: KubeApi;
beforeAll(async () => {
  api = await KubeApi.start('east');
});
afterAll(() => api.stop());
afterEach(() => {
  api.objects.clear();
});

const template = (image: string, more: object = {}) => ({
  spec: { containers: [{ name: 'catalog', image, ...more }] },
});
const catalog = (image: string, more: object = {}) => {
  const deployment = deploymentOf();
  return { ...deployment, spec: { ...deployment.spec, template: template(image, more) } };
};
/** A pod of what lives now that cannot start. */
const failing = (message: string) => {
  api.put(replicaSetOf('catalog', 1, 'rs'));
  api.put(podOf('rs', { status: { containerStatuses: [waiting('catalog', 'ErrImagePull', message)] } }));
};

test('pods are told of once their workload lives as it is declared, until it has been waited for', async () => {
  const done = new AbortController();
  const lines: string[] = [];
  // Before the provider has sent anything: a pod of the change before.
  api.put(catalog('catalog:1'));
  failing('of the change before');
  let looks = 0;
  api.intervene = ({ method, path }) => {
    if (method === 'GET' && path.endsWith('/deployments/catalog') && ++looks === 3) {
      api.put(catalog('catalog:2', { terminationMessagePath: '/dev/termination-log' }));
      failing('of this change');
    }
    return undefined;
  };
  const report = (line: string) => {
    lines.push(line);
    done.abort();
  };
  await tellOfPods(api.client, [catalog('catalog:2')], report, done.signal, { ...podTimes, interval: 10 });
  expect(lines).toEqual([
    'east: Deployment shop/catalog: container catalog of Pod shop/catalog-1 cannot pull its image: ErrImagePull: of this change',
  ]);
});

test('nobody is asked where there is nothing to wait for', async () => {
  api.requests.length = 0;
  await tellOfPods(api.client, [], () => undefined, new AbortController().signal);
  expect(api.requests).toEqual([]);
});
