import type { MeshModel, WorkloadModel } from '../../charts/model/mesh-model.ts';
import { ProblemsError } from '../../core/problem.ts';
import type { KubeClient } from '../../infra/kube/kube-client.ts';
import { outsiderPod } from '../../infra/preflight/rights.ts';
import { runProgram } from './pod.ts';
import type { Proof, ProofContext } from './proof.ts';

/** A caller without a sidecar, so without an identity, gets no answer: the mesh takes mutual TLS only. */
export function outsiders(model: MeshModel): readonly Proof[] {
  return model.clusters.flatMap(({ name: cluster }) => {
    const [callee] = model.workloads.filter(
      ({ ports, answersFrom }) => ports.grpc !== undefined && answersFrom.includes(cluster),
    );
    const image = model.images.find(({ app }) => app === callee?.app)?.reference;
    if (callee === undefined || image === undefined) return [];
    return {
      title: `a plaintext call from outside the mesh is refused in ${cluster}`,
      run: (context: ProofContext) => prove(context, callee, cluster, image),
    };
  });
}

/**
 * What the pod outside runs: a TCP connection, then an HTTP/2 request in plaintext. It prints one word and the reason;
 * `refused` only when the connection stood and the request on it got no answer.
 */
const source = `
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
  callee: WorkloadModel,
  cluster: string,
  image: string,
): Promise<string> {
  const client = context.clients[cluster];
  if (client === undefined) throw new Error(`no client of ${cluster}`);
  const url = `http://${callee.name}.${callee.namespace}.svc.cluster.local:${callee.ports.grpc ?? 0}`;
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
        fix: 'look at the PeerAuthentication of the mesh (dist/*/*/30-mesh.k8s.yaml)',
      },
    ],
    1,
  );
}

/** Runs the program in a pod of a namespace outside the mesh, where no sidecar is injected, and returns what it printed. */
function runOutside(client: KubeClient, image: string, url: string, signal?: AbortSignal): Promise<string> {
  const labels = { 'sidecar.istio.io/inject': 'false' };
  return runProgram(client, { ...outsiderPod, labels, image, source, args: [url] }, signal);
}
