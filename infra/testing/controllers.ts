import type { KubeApi, SeenRequest } from './kube-api.ts';
import { field } from '../kube-object.ts';

const day = 86_400;
/** Far enough away that a test's tokens do not run out, and the same each time. */
const issued = Math.floor(Date.UTC(2026, 0, 1) / 1000);

/**
 * Plays the controllers of a cluster and its istiod: everything is ready as soon as it is applied, tokens are granted for
 * years, pods get a proxy, and an invalid Gateway is refused.
 */
export function playControllers(api: KubeApi, cluster: string): void {
  api.intervene = (request) => {
    const { method, path } = request;
    if (method === 'GET') {
      const live = api.objects.get(path);
      return live === undefined
        ? undefined
        : { status: 200, body: { ...live, status: statusOf(live, cluster) } };
    }
    if (method !== 'POST') return undefined;
    if (path.endsWith('/token')) return grantToken(api, path);
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

function grantToken(api: KubeApi, path: string) {
  const account = api.objects.get(path.replace(/\/token$/, ''));
  const uid = field(account, 'metadata', 'uid');
  const claims = { iat: issued, exp: issued + 3650 * day, 'kubernetes.io': { serviceaccount: { uid } } };
  const token = `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;
  return { status: 201, body: { status: { token } } };
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
