import { addControlPlane } from './control-plane.ts';
import type { KubeApi, SeenRequest } from './kube-api.ts';
import { field } from '../kube/kube-object.ts';
import { cutOff, gatewayPod, tryFrom } from './gateway.ts';

const pods = '/api/v1/namespaces/istio-system/pods';
const gatewayLabel = `istio=${gatewayPod.metadata.labels.istio}`;
const gatewayPods = `/api/v1/namespaces/${gatewayPod.metadata.namespace}/pods`;

/**
 * Plays the controllers of a cluster and its istiod: everything is ready as soon as it is applied, tokens are granted as
 * asked, other clusters are synced with and reached, pods get a proxy, and an invalid Gateway is refused.
 */
export function playControllers(api: KubeApi, cluster: string): void {
  addControlPlane(api);
  const tokens = api.intervene;
  api.run = tryFrom(() => cutOff, api.run);
  // Nobody applied the pods: they come and go with their Deployments, which are none of the store's.
  const istiod = api.objects.get(`${pods}/istiod-1`);
  api.objects.delete(`${pods}/istiod-1`);
  api.intervene = (request) => {
    const { method, path, query } = request;
    const answer = tokens(request);
    if (answer !== undefined) return answer;
    if (method === 'GET' && path === pods && query['labelSelector'] === 'app=istiod')
      return { status: 200, body: { items: [istiod] } };
    if (method === 'GET' && path === gatewayPods && query['labelSelector'] === gatewayLabel)
      return { status: 200, body: { items: [gatewayPod] } };
    if (method === 'GET') {
      const live = api.objects.get(path);
      return live === undefined
        ? undefined
        : { status: 200, body: { ...live, status: statusOf(live, cluster) } };
    }
    if (method !== 'POST') return undefined;
    return admit(request);
  };
}

/** What controllers say of an object that is ready. */
export function statusOf(live: Record<string, unknown>, cluster: string): unknown {
  const { name, namespace = '' } = live['metadata'] as { name: string; namespace?: string };
  switch (live['kind']) {
    case 'Namespace':
      return { phase: 'Active' };
    case 'CustomResourceDefinition':
      return { conditions: [{ type: 'Established', status: 'True' }] };
    case 'Service':
      return { loadBalancer: { ingress: [{ hostname: `${name}.${namespace}.${cluster}.example` }] } };
    case 'DaemonSet':
      return { desiredNumberScheduled: 1, updatedNumberScheduled: 1, numberReady: 1 };
    case 'StatefulSet':
    case 'Deployment': {
      const pods = Number(field(live, 'spec', 'replicas') ?? 1);
      return { replicas: pods, updatedReplicas: pods, availableReplicas: pods };
    }
    default:
      return undefined;
  }
}

function admit({ body, path }: SeenRequest) {
  if (path.endsWith('/gateways'))
    return {
      status: 400,
      body: {
        message:
          'admission webhook "rev.validation.istio.io" denied the request: at least one server is required',
      },
    };
  const pod = body as { spec: { containers: unknown[] } };
  return {
    status: 201,
    body: { ...pod, spec: { containers: [...pod.spec.containers, { name: 'istio-proxy' }] } },
  };
}
