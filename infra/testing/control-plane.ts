import { remoteReader } from '../../charts/constructs/scope/names.ts';
import type { KubeApi, Intervention, SeenRequest } from './kube-api.ts';

/** What a stand-in cluster does with tokens, and what its istiods say; a test changes it as it goes. */
export interface ControlPlane {
  /** Days of every token that is granted, whatever was asked for. @default - as asked */
  grantedDays?: number;
  /** Why tokens are refused though what they are bound to exists. */
  refuses?: string;
  /** What istiod says of clusters by name. @default - synced with all whose remote secrets it has */
  status: Record<string, string>;
  /** istiod's log. */
  log: string;
  /** The program that asks istiod ends with this. */
  failure?: string;
  readonly tokens: string[];
}

const namespace = 'istio-system';

/** Lets a cluster grant and judge tokens as an API server does, and gives it an istiod that takes up remote secrets. */
export function addControlPlane(api: KubeApi, istiods: readonly string[] = ['istiod-1']): ControlPlane {
  const plane: ControlPlane = { status: {}, log: '', tokens: [] };
  for (const name of istiods) {
    api.put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels: { app: 'istiod' } },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    });
  }
  api.intervene = answers(api, plane);
  api.run = (pod, command) => {
    if (!istiods.includes(pod)) return undefined;
    if (plane.failure !== undefined) return { stderr: plane.failure, exitCode: 1 };
    return command.at(-1) === '/debug/clusterz' ? { stdout: clusterz(api, plane) } : { exitCode: 2 };
  };
  return plane;
}

/** Stores the account that remote secrets act as. */
export function addRemoteReader(api: KubeApi): void {
  api.put({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: remoteReader, namespace } });
}

/** A token with these claims; its signature is none. */
export function tokenWith(claims: object): string {
  return `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`;
}

function answers(api: KubeApi, plane: ControlPlane): Intervention {
  return (request) => {
    const { method, path } = request;
    if (path.endsWith('/log')) return { status: 200, body: plane.log };
    if (method !== 'POST') return undefined;
    if (path.endsWith('/token'))
      return { status: 201, body: { status: { token: grant(api, plane, request) } } };
    if (!path.endsWith('/tokenreviews')) return undefined;
    const { token } = (request.body as { spec: { token: string } }).spec;
    const error = judge(api, plane, token);
    return {
      status: 201,
      body: { status: error === undefined ? { authenticated: true } : { authenticated: false, error } },
    };
  };
}

function grant(api: KubeApi, plane: ControlPlane, { body }: SeenRequest): string {
  const { expirationSeconds, boundObjectRef } = (
    body as { spec: { expirationSeconds: number; boundObjectRef: { name: string; uid: string } } }
  ).spec;
  const { uid } = api.get({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: remoteReader, namespace },
  })?.['metadata'] as { uid: string };
  const { name, uid: boundUid } = boundObjectRef;
  const iat = Math.floor(Date.now() / 1000);
  const life = plane.grantedDays === undefined ? expirationSeconds : plane.grantedDays * 24 * 60 * 60;
  const token = tokenWith({
    iat,
    exp: iat + life,
    jti: plane.tokens.length,
    'kubernetes.io': { serviceaccount: { uid }, secret: { name, uid: boundUid } },
  });
  plane.tokens.push(token);
  return token;
}

function judge(api: KubeApi, plane: ControlPlane, token: string): string | undefined {
  if (plane.refuses !== undefined) return plane.refuses;
  if (!plane.tokens.includes(token)) return 'invalid bearer token';
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as {
    'kubernetes.io': { secret: { name: string; uid: string } };
  };
  const { name, uid } = claims['kubernetes.io'].secret;
  const bound = api.get({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace } });
  return (bound?.['metadata'] as { uid: string } | undefined)?.uid === uid
    ? undefined
    : 'invalid bearer token, service account token has been invalidated';
}

function clusterz(api: KubeApi, plane: ControlPlane): string {
  const remotes = [...api.objects.values()].flatMap((object) => {
    const { labels = {}, annotations = {} } = object['metadata'] as {
      labels?: Record<string, string>;
      annotations?: Record<string, string>;
    };
    const id = annotations['networking.istio.io/cluster'];
    return labels['istio/multiCluster'] === 'true' && id !== undefined ? [id] : [];
  });
  return JSON.stringify(
    remotes.map((id) => ({
      id,
      secretName: `${namespace}/istio-remote-secret-${id}`,
      syncStatus: plane.status[id] ?? 'synced',
    })),
  );
}
