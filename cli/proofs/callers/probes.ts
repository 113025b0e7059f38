import type { CallModel, MeshModel, WorkloadModel } from '../../../charts/model/mesh-model.ts';
import type { Problem } from '../../../core/problem.ts';
import { answeringClusters, calleeOf, readsOf, titleOf } from '../edges.ts';
import { clusterOf } from '../http.ts';
import type { Proof } from '../proof.ts';
import { inTheirName, type Target, type Trial, type TriedAt } from './in-their-name.ts';
import { isExpected, probeAnswers, probeProgram, type ProbeAnswer, type ProbeCall } from './probe-program.ts';

interface Called extends Target {
  readonly call: CallModel;
  /** @default - it belongs to others */
  readonly callee?: WorkloadModel;
}

/** A caller makes calls over gRPC. */
export const probing: Trial<Called, ProbeAnswer> = {
  does: 'probe',
  claim: (callees) => `gets to ${callees}`,
  program: probeProgram,
  args: (targets) => [targets.map(probeCall)],
  answers: probeAnswers,
  unsaid: 'what it was answered',
  problem: (at, target, answer) =>
    target.callee === undefined
      ? problemOfOthers(at, target, answer)
      : problemOf(at, target.callee, probeCall(target), answer),
  summary: ({ call: { workload, namespace, path, answeredBy, existing }, callee }, { servedBy }) => {
    const method = path.split('/').at(-1) ?? path;
    if (existing === true) return `${namespace}/${workload} of others answers`;
    return answeredBy === 'service'
      ? `${method} answered by ${callee?.app === undefined ? workload : servedBy}`
      : `${workload}'s proxy knows it, and refuses what is not granted`;
  },
};

/** Every caller gets to all that it may call. What reads through the ingress gateways show of an edge is not tried again. */
export function probes(model: MeshModel): readonly Proof[] {
  const shown = readsOf(model);
  return inTheirName(model, probing, (caller) =>
    caller.calls.flatMap((call): readonly Called[] => {
      if (call.existing === true) return [{ call, title: `${call.namespace}/${call.workload}` }];
      const callee = calleeOf(model, call);
      const isShown = shown.some((read) => read.edge === caller && read.callee === callee);
      if (callee === undefined || isShown || callee.answersFrom.length === 0) return [];
      return [{ call, callee, title: titleOf(model, callee) }];
    }),
  );
}

function probeCall({ call, callee }: Called): ProbeCall {
  return {
    url: `http://${call.workload}.${call.namespace}.svc.cluster.local:${call.port}`,
    path: call.path,
    answeredBy: call.answeredBy,
    ...(call.existing && { existing: true }),
    ...(callee !== undefined && callee.app === undefined && { foreign: true }),
  };
}

function problemOfOthers({ where }: TriedAt, target: Called, answer: ProbeAnswer): Problem | undefined {
  const call = probeCall(target);
  if (isExpected(answer, call)) return undefined;
  return {
    where: `${where} calls ${target.title}, a service of others, ${call.path}`,
    what: 'the call does not get to the service',
    received: statusOf(answer),
    allowed: 'any answer of the service',
    fix: 'look whether it has ready pods, serves gRPC on that port, and is allowed to take the call by an AuthorizationPolicy of its owners',
  };
}

function problemOf(
  { where, cluster }: TriedAt,
  callee: WorkloadModel,
  call: ProbeCall,
  answer: ProbeAnswer,
): Problem | undefined {
  const clusters = answeringClusters(callee, [cluster]);
  const isRight =
    isExpected(answer, call) &&
    (call.answeredBy === 'proxy' || call.foreign === true || clusters.includes(clusterOf(answer.servedBy)));
  if (isRight) return undefined;
  const problem = {
    where: `${where} calls ${callee.name}, ${call.path}`,
    received: answer.servedBy === '' ? statusOf(answer) : answer.servedBy,
  };
  return call.answeredBy === 'service'
    ? {
        ...problem,
        what: 'the call is not answered by the service, where it should be',
        allowed: `an answer of ${callee.name} in ${clusters.join(' or ')}`,
      }
    : {
        ...problem,
        what: `the call, of a method that ${callee.name} grants to nobody, is not refused by its proxy`,
        allowed: 'gRPC status 7 (PERMISSION_DENIED)',
      };
}

function statusOf({ status, message }: ProbeAnswer): string {
  return `gRPC status ${status === '' ? 'none' : status}: ${message}`;
}
