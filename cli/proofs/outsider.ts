import type { MeshModel, WorkloadModel } from '../../charts/model/mesh-model.ts';
import { ProblemsError } from '../../core/problem.ts';
import { waitFor } from '../../core/wait.ts';
import type { KubeClient } from '../../infra/kube/kube-client.ts';
import { managedByLabel, manager, text, type KubeObject } from '../../infra/kube/kube-object.ts';
import { workload, type Proof, type ProofContext } from './proof.ts';

const podMs = 90_000;

/** A caller without a sidecar, so without an identity, gets no answer: the mesh takes mutual TLS only. */
export function outsiders(model: MeshModel): readonly Proof[] {
  const catalog = workload(model, 'catalog');
  const image = model.images.find(({ app }) => app === catalog?.app)?.reference;
  if (catalog?.ports.grpc === undefined || image === undefined) return [];
  return catalog.placement.map((cluster) => ({
    title: `a plaintext call from outside the mesh is refused in ${cluster}`,
    run: (context) => prove(context, catalog, cluster, image),
  }));
}

/**
 * What the pod outside runs: a TCP connection, then an HTTP/2 request in plaintext. It prints one word and the reason;
 * `refused` only when the connection stood and the request on it got no answer.
 */
const program = `
const http2 = require('node:http2');
const session = http2.connect(process.argv[1]);
let connected = false;
const end = (word, why) => { console.log(word + ' ' + why); process.exit(0); };
setTimeout(() => end('silent', 'no answer within 10 s'), 10000);
session.on('connect', () => { connected = true; });
session.on('error', (error) => end(connected ? 'refused' : 'unconnected', error.code || error.message));
session.on('close', () => end(connected ? 'refused' : 'unconnected', 'the connection was closed'));
const call = session.request({ ':method': 'POST', ':path': '/grpc.health.v1.Health/Check', 'content-type': 'application/grpc', te: 'trailers' });
call.on('error', () => {});
call.on('response', (headers) => end('answered', 'HTTP ' + headers[':status']));
call.end(Buffer.from([0, 0, 0, 0, 0]));
`;

async function prove(
  context: ProofContext,
  catalog: WorkloadModel,
  cluster: string,
  image: string,
): Promise<string> {
  const client = context.clients[cluster];
  if (client === undefined) throw new Error(`no client of ${cluster}`);
  const url = `http://${catalog.name}.${catalog.namespace}.svc.cluster.local:${catalog.ports.grpc ?? 0}`;
  const said = await runOutside(client, image, url, context.signal);
  const [word = '', ...why] = said.trim().split(' ');
  if (word === 'refused') return `connected to ${url}, then: ${why.join(' ')}`;
  throw new ProblemsError(
    [
      {
        where: `a pod outside the mesh in ${cluster}`,
        what:
          word === 'answered'
            ? `got an answer from ${url} in plaintext`
            : `could not make its call to ${url}`,
        received: said.trim(),
        allowed: 'refused after the connection was made',
        fix: 'look at the PeerAuthentication of the mesh (dist/*/30-mesh.k8s.yaml)',
      },
    ],
    1,
  );
}

/** Runs the program in a pod of a namespace outside the mesh, and returns what it printed. The pod is deleted after. */
async function runOutside(
  client: KubeClient,
  image: string,
  url: string,
  signal?: AbortSignal,
): Promise<string> {
  const pod = podOutside(image, url);
  const path = `/api/v1/namespaces/${namespace}/pods/${pod.metadata.name}`;
  const remove = () =>
    client.request('DELETE', path, { query: { gracePeriodSeconds: '0' } }).catch(() => undefined);
  await remove(); // of an interrupted run
  try {
    await waitFor(
      { what: `an earlier pod ${pod.metadata.name} to go`, timeoutMs: podMs, ...(signal && { signal }) },
      async () =>
        (await client.get(pod, signal)) === undefined
          ? { done: true, value: undefined }
          : { done: false, because: 'it is there' },
    );
    await client.request('POST', `/api/v1/namespaces/${namespace}/pods`, {
      body: pod,
      ...(signal && { signal }),
    });
    await waitFor(
      {
        what: `pod ${namespace}/${pod.metadata.name} in ${client.cluster} to end`,
        timeoutMs: podMs,
        ...(signal && { signal }),
      },
      async () => {
        const phase = text(await client.get(pod, signal), 'status', 'phase') ?? 'gone';
        return phase === 'Succeeded' || phase === 'Failed'
          ? { done: true, value: undefined }
          : { done: false, because: `its phase is ${phase}` };
      },
    );
    return text(await client.request('GET', `${path}/log`, { ...(signal && { signal }) }), 'message') ?? '';
  } finally {
    await remove();
  }
}

/** Kubernetes' own namespace for what belongs nowhere: no sidecar is injected there. */
const namespace = 'default';

function podOutside(image: string, url: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'meshwright-outsider',
      namespace,
      labels: { [managedByLabel]: manager, 'sidecar.istio.io/inject': 'false' },
    },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'outsider',
          image,
          command: ['/usr/bin/node', '-e', program, url],
          securityContext: {
            runAsNonRoot: true,
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
            seccompProfile: { type: 'RuntimeDefault' },
          },
          resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '128Mi' } },
        },
      ],
    },
  };
}
