import type { MeshModel, WorkloadModel } from '../../charts/model/mesh-model.ts';
import { ProblemsError, type Problem } from '../../core/problem.ts';
import { outsiderNamespace } from '../../infra/preflight/rights.ts';
import { imageFor } from './edges.ts';
import {
  outsiderLimitMs,
  outsiderProgram,
  readOutsider,
  type OutsiderAnswer,
  type OutsiderCall,
} from './outsider-program.ts';
import { runProgram } from './pod.ts';
import type { Proof, ProofContext } from './proof.ts';

/**
 * A caller without a sidecar, so without an identity, gets no answer: in every cluster, of one workload in each namespace, as
 * namespaces differ in who gives their pods a proxy, and in what that takes; and of each kind of port, as proxies have other rules for
 * each.
 */
export function outsiders(model: MeshModel): readonly Proof[] {
  return model.clusters.flatMap(({ name: cluster }) => {
    const callees = calleesIn(model, cluster);
    const [first] = callees;
    const image = first === undefined ? undefined : imageFor(model, first.workload);
    if (image === undefined) return [];
    return {
      title: `a plaintext call from outside the mesh is refused in ${cluster}`,
      run: (context: ProofContext) => prove(context, callees, cluster, image),
    };
  });
}

/** A port of a workload that is called from outside. */
export interface Callee extends Pick<OutsiderCall, 'protocol' | 'port'> {
  readonly workload: WorkloadModel;
  /** It is declared to take plaintext, too. */
  readonly plaintext: boolean;
}

/**
 * Of each namespace and each kind of port, those of a StatefulSet apart from others, the first that takes mutual TLS only; where there is
 * none, the first.
 */
export function calleesIn({ workloads }: MeshModel, cluster: string): readonly Callee[] {
  const called = workloads.filter(({ answersFrom }) => answersFrom.includes(cluster)).flatMap(portsOf);
  const kindOf = ({ workload: { namespace, deployments }, protocol }: Callee) =>
    [namespace, protocol, deployments.some(({ stateful }) => stateful === true)].join(' ');
  return [...Map.groupBy(called, kindOf).values()].flatMap(
    (all) => all.find(({ plaintext }) => !plaintext) ?? all[0] ?? [],
  );
}

function portsOf(workload: WorkloadModel): readonly Callee[] {
  const { ports, tcp = [], plaintext = [] } = workload;
  const all: readonly [Callee['protocol'], number | undefined][] = [
    ['grpc', ports.grpc],
    ['http', ports.http],
    ...tcp.map(({ port }): [Callee['protocol'], number] => ['tcp', port]),
  ];
  return all.flatMap(([protocol, port]) =>
    port === undefined ? [] : [{ workload, protocol, port, plaintext: plaintext.includes(port) }],
  );
}

async function prove(
  { model, clients, signal }: ProofContext,
  callees: readonly Callee[],
  cluster: string,
  image: string,
): Promise<string> {
  const client = clients[cluster];
  if (client === undefined) throw new Error(`no client of ${cluster}`);
  const calls = callees.map((callee): OutsiderCall => {
    return { protocol: callee.protocol, host: hostOf(callee), port: callee.port };
  });
  // Of a namespace outside the mesh, where no sidecar is injected.
  const labels = { 'sidecar.istio.io/inject': 'false' };
  const name = `meshwright-outsider-${model.name}`;
  const args = [JSON.stringify(calls), String(outsiderLimitMs)];
  const pod = { name, namespace: outsiderNamespace, labels, image, source: outsiderProgram, args };
  return judge(callees, cluster, await runProgram(client, pod, signal));
}

function hostOf({ workload: { name, namespace } }: Callee): string {
  return `${name}.${namespace}.svc.cluster.local`;
}

function urlOf(callee: Callee): string {
  return `${callee.protocol === 'tcp' ? 'tcp' : 'http'}://${hostOf(callee)}:${callee.port}`;
}

/**
 * What was seen of each port.
 * @param printed - by the program
 * @throws ProblemsError (exit 1) for each that did not refuse its call.
 */
export function judge(callees: readonly Callee[], cluster: string, printed: string): string {
  const where = `a pod outside the mesh in ${cluster}`;
  const answers = readOutsider(printed);
  if (answers?.length !== callees.length)
    throw new ProblemsError(
      [{ where, what: 'did not say how its calls ended', received: printed.trim() }],
      1,
    );
  const seen = callees.map((callee, index) => {
    const { word, why } = answers[index] ?? { word: 'silent' as const, why: '' };
    const isRight = word === 'refused' || (word === 'denied' && callee.plaintext);
    return { callee, word, why, isRight };
  });
  const problems = seen
    .filter(({ isRight }) => !isRight)
    .map(({ callee, word, why }): Problem => ({
      where,
      what: wrong(word, urlOf(callee)),
      received: `${word} ${why}`,
      allowed: callee.plaintext ? 'refused, or denied by its proxy' : 'refused after the connection was made',
      fix: `look at the PeerAuthentication of the mesh (dist/*/*/30-mesh.k8s.yaml), and whether pods of namespace ${callee.workload.namespace} have a proxy`,
    }));
  if (problems.length > 0) throw new ProblemsError(problems, 1);
  return seen.map(({ callee, why }) => `connected to ${urlOf(callee)}, then: ${why}`).join('; ');
}

function wrong(word: OutsiderAnswer['word'], url: string): string {
  if (word === 'answered' || word === 'denied') return `got an answer from ${url} in plaintext`;
  return word === 'open'
    ? `was let in at ${url} in plaintext: what it sent was taken`
    : `could not make its call to ${url}`;
}
