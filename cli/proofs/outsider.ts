import type { MeshModel, WorkloadModel } from '../../charts/model/mesh-model.ts';
import { ProblemsError, type Problem } from '../../core/problem.ts';
import { outsiderNamespace } from '../../infra/preflight/rights.ts';
import { imageFor } from './edges.ts';
import { outsiderProgram, readOutsider } from './outsider-program.ts';
import { runProgram } from './pod.ts';
import type { Proof, ProofContext } from './proof.ts';

/**
 * A caller without a sidecar, so without an identity, gets no answer: in every cluster, of one workload in each namespace, as
 * namespaces differ in who gives their pods a proxy, and in what that takes.
 */
export function outsiders(model: MeshModel): readonly Proof[] {
  return model.clusters.flatMap(({ name: cluster }) => {
    const callees = calleesIn(model, cluster);
    const [first] = callees;
    const image = first === undefined ? undefined : imageFor(model, first);
    if (image === undefined) return [];
    return {
      title: `a plaintext call from outside the mesh is refused in ${cluster}`,
      run: (context: ProofContext) => prove(context, callees, cluster, image),
    };
  });
}

/** Of each namespace the first workload that takes mutual TLS only; where there is none, the first. */
export function calleesIn({ workloads }: MeshModel, cluster: string): readonly WorkloadModel[] {
  const called = workloads.filter(
    ({ ports, answersFrom }) => ports.grpc !== undefined && answersFrom.includes(cluster),
  );
  return [...Map.groupBy(called, ({ namespace }) => namespace).values()].flatMap(
    (all) => all.find(({ plaintext }) => plaintext !== true) ?? all[0] ?? [],
  );
}

async function prove(
  { model, clients, signal }: ProofContext,
  callees: readonly WorkloadModel[],
  cluster: string,
  image: string,
): Promise<string> {
  const client = clients[cluster];
  if (client === undefined) throw new Error(`no client of ${cluster}`);
  const args = callees.map(urlOf);
  // Of a namespace outside the mesh, where no sidecar is injected.
  const labels = { 'sidecar.istio.io/inject': 'false' };
  const name = `meshwright-outsider-${model.name}`;
  const pod = { name, namespace: outsiderNamespace, labels, image, source: outsiderProgram, args };
  return judge(callees, cluster, await runProgram(client, pod, signal));
}

function urlOf({ name, namespace, ports }: WorkloadModel): string {
  return `http://${name}.${namespace}.svc.cluster.local:${ports.grpc ?? 0}`;
}

/**
 * What was seen of each workload.
 * @param printed - by the program
 * @throws ProblemsError (exit 1) for each that did not refuse its call.
 */
export function judge(callees: readonly WorkloadModel[], cluster: string, printed: string): string {
  const where = `a pod outside the mesh in ${cluster}`;
  const answers = readOutsider(printed);
  if (answers?.length !== callees.length)
    throw new ProblemsError(
      [{ where, what: 'did not say how its calls ended', received: printed.trim() }],
      1,
    );
  const seen = callees.map((callee, index) => {
    const { word, why } = answers[index] ?? { word: 'silent', why: '' };
    const isRight = word === 'refused' || (word === 'denied' && callee.plaintext === true);
    return { callee, word, why, isRight };
  });
  const problems = seen
    .filter(({ isRight }) => !isRight)
    .map(({ callee, word, why }): Problem => {
      const isAnswered = word === 'answered' || word === 'denied';
      return {
        where,
        what: isAnswered
          ? `got an answer from ${urlOf(callee)} in plaintext`
          : `could not make its call to ${urlOf(callee)}`,
        received: `${word} ${why}`,
        allowed:
          callee.plaintext === true
            ? 'refused, or denied by its proxy'
            : 'refused after the connection was made',
        fix: `look at the PeerAuthentication of the mesh (dist/*/*/30-mesh.k8s.yaml), and whether pods of namespace ${callee.namespace} have a proxy`,
      };
    });
  if (problems.length > 0) throw new ProblemsError(problems, 1);
  return seen.map(({ callee, why }) => `connected to ${urlOf(callee)}, then: ${why}`).join('; ');
}
