import { addControlPlane } from './control-plane.ts';
import type { KubeApi, SeenRequest } from './kube-api.ts';
import { field } from '../kube-object.ts';

const pods = '/api/v1/namespaces/istio-system/pods';

/**
 * Plays the controllers of a cluster and its istiod: everything is ready as soon as it is applied, tokens are granted as
 * asked, other clusters are synced with, pods get a proxy, and an invalid Gateway is refused.
 */
export function playControllers(api: KubeApi, cluster: string): void {
  addControlPlane(api);
  const tokens = api.intervene;
  // Nobody applied the pod: it comes and goes with its Deployment, which is none of the store's.
  const istiod = api.objects.get(`${pods}/istiod-1`);
  api.objects.delete(`${pods}/istiod-1`);
  api.intervene = (request) => {
    const { method, path, query } = request;
    const answer = tokens(request);
    if (answer !== undefined) return answer;
    if (method === 'GET' && path === pods && query['labelSelector'] === 'app=istiod')
      return { status: 200, body: { items: [istiod] } };
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

function statusOf(live: Record<string, unknown>, cluster: string): unknown {
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
