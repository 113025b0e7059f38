import type { ConnectionModel, MeshModel, WorkloadModel } from '../../charts/model/mesh-model.ts';
import { ProblemsError, type Problem } from '../../core/problem.ts';
import { connectProgram, readConnections, waits, type Connection } from './connect-program.ts';
import { calleeOf, imageFor, titleOf } from './edges.ts';
import { runProgram } from './pod.ts';
import { podName, probeLabels } from './probes.ts';
import type { Proof, ProofContext } from './proof.ts';

/**
 * Every workload connects to all ports that it may, in every cluster that it runs in: in its name, from a pod with its service account and
 * labels, which takes no traffic.
 */
export function connections(model: MeshModel): readonly Proof[] {
  return model.workloads.flatMap((caller) => {
    const image = imageFor(model, caller);
    const targets = (caller.connects ?? []).flatMap((to): readonly Target[] => {
      const callee = calleeOf(model, to);
      if (callee === undefined || callee.answersFrom.length === 0) return [];
      return [{ to, title: `${titleOf(model, callee)}:${to.name}` }];
    });
    if (image === undefined || targets.length === 0) return [];
    const listed = new Intl.ListFormat('en').format(targets.map(({ title }) => title));
    return caller.answersFrom.map((cluster) => ({
      title: `${titleOf(model, caller)} in ${cluster} connects to ${listed}`,
      run: (context: ProofContext) => prove(context, { caller, cluster, image, targets }),
      // Each object may stand in the way of a connection.
      concerns: () => true,
    }));
  });
}

interface Target {
  readonly to: ConnectionModel;
  /** What it is called in titles. */
  readonly title: string;
}

interface Probe {
  readonly caller: WorkloadModel;
  readonly cluster: string;
  readonly image: string;
  readonly targets: readonly Target[];
}

async function prove({ model, clients, signal }: ProofContext, probe: Probe): Promise<string> {
  const { caller, cluster, image, targets } = probe;
  const client = clients[cluster];
  if (client === undefined) throw new Error(`no client of ${cluster}`);
  const to = targets.map(({ to: { workload, namespace, port } }): Connection => {
    return { host: `${workload}.${namespace}.svc.cluster.local`, port };
  });
  const name = podName(caller, 'connect');
  const pod = {
    ...{ name, namespace: caller.namespace, labels: probeLabels(model, caller), image },
    ...{
      serviceAccountName: caller.name,
      source: connectProgram,
      args: [to, waits].map((arg) => JSON.stringify(arg)),
    },
  };
  return judge(`${caller.name} in ${cluster}`, name, targets, await runProgram(client, pod, signal));
}

/**
 * What was seen of each port.
 * @param pod - that printed it
 * @throws ProblemsError (exit 1) for each port that was not reached
 */
export function judge(where: string, pod: string, targets: readonly Target[], printed: string): string {
  const answers = readConnections(printed);
  if (answers?.length !== targets.length) {
    const what = `its probe, pod ${pod}, did not say how its connections went`;
    throw new ProblemsError([{ where, what, received: printed.trim() }], 1);
  }
  const seen = targets.map((target, index) => ({ ...target, answer: answers[index] }));
  const problems = seen.flatMap(({ to, title, answer }): readonly Problem[] => {
    if (answer?.outcome !== 'closed') return [];
    return [
      {
        where: `${where} connects to ${title}, port ${to.port}`,
        what: answer.greeted
          ? 'the server greets it, and the connection is closed at the first byte that it sends'
          : 'the connection gets to no server, or is closed at the first byte that it sends',
        received: answer.why,
        allowed: 'a connection that stays open, or an answer',
        fix: `look whether ${to.workload} has ready pods, and listens there on all addresses of its pod, not on 127.0.0.1 alone`,
      },
    ];
  });
  if (problems.length > 0) throw new ProblemsError(problems, 1);
  return seen
    .map(({ title, answer }) => {
      if (answer?.outcome === 'answered') return `${title} answers`;
      return answer?.greeted === true ? `${title} greets it and listens` : `${title} listens`;
    })
    .join(', ');
}
