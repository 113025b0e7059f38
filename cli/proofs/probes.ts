import { createHash } from 'node:crypto';
import { defaultRevision, nameLabel, revisionLabel } from '../../charts/model/labels.ts';
import type { CallModel, MeshModel, WorkloadModel } from '../../charts/model/mesh-model.ts';
import { ProblemsError, type Problem } from '../../core/problem.ts';
import { managedLabels } from '../../infra/kube/kube-object.ts';
import {
  answeringClusters,
  calleeOf,
  callersOf,
  imageFor,
  readsOf,
  titleOf,
  type CallerModel,
} from './edges.ts';
import { clusterOf } from './http.ts';
import { runProgram } from './pod.ts';
import { isExpected, probeProgram, readAnswers, type ProbeAnswer, type ProbeCall } from './probe-program.ts';
import type { Proof, ProofContext } from './proof.ts';

/**
 * Every workload gets to all that it may call, in every cluster that it runs in, and so does every job, which need not run for that. A pod with its service
 * account and labels, which takes no traffic, makes the calls. What reads through the ingress gateways show of an edge is not tried again.
 */
export function probes(model: MeshModel): readonly Proof[] {
  const shown = readsOf(model);
  return callersOf(model).flatMap((caller) => {
    const image = imageFor(model, caller);
    const targets = caller.calls.flatMap((call): readonly Target[] => {
      if (call.existing === true) return [{ call, title: `${call.namespace}/${call.workload}` }];
      const callee = calleeOf(model, call);
      const isShown = shown.some((read) => read.edge === caller && read.callee === callee);
      if (callee === undefined || isShown || callee.answersFrom.length === 0) return [];
      return [{ call, callee, title: titleOf(model, callee) }];
    });
    if (image === undefined || targets.length === 0) return [];
    return caller.answersFrom.map((cluster) => ({
      title: `${titleOf(model, caller)} in ${cluster} gets to ${listed(targets.map(({ title }) => title))}`,
      run: (context: ProofContext) => prove(context, { caller, cluster, image, targets }),
      // Each object may stand in the way of a call.
      concerns: () => true,
    }));
  });
}

interface Target {
  readonly call: CallModel;
  /** What the callee is called in titles. */
  readonly title: string;
  /** @default - it belongs to others */
  readonly callee?: WorkloadModel;
}

interface Probe {
  readonly caller: CallerModel;
  readonly cluster: string;
  readonly image: string;
  readonly targets: readonly Target[];
}

async function prove({ model, clients, signal }: ProofContext, probe: Probe): Promise<string> {
  const { caller, cluster, image, targets } = probe;
  const client = clients[cluster];
  if (client === undefined) throw new Error(`no client of ${cluster}`);
  const calls = targets.map(({ call, callee }): ProbeCall => ({
    url: `http://${call.workload}.${call.namespace}.svc.cluster.local:${call.port}`,
    path: call.path,
    answeredBy: call.answeredBy,
    ...(call.existing && { existing: true }),
    ...(callee !== undefined && callee.app === undefined && { foreign: true }),
  }));
  const name = podName(caller);
  const printed = await runProgram(
    client,
    {
      name,
      namespace: caller.namespace,
      labels: probeLabels(model, caller),
      annotations: caller.proxyAnnotations,
      serviceAccountName: caller.name,
      image,
      source: probeProgram,
      args: [JSON.stringify(calls)],
    },
    signal,
  );
  const answers = readAnswers(printed);
  const where = `${caller.name} in ${cluster}`;
  if (answers?.length !== calls.length) {
    const what = `its probe, pod ${caller.namespace}/${name}, did not say what it was answered`;
    throw new ProblemsError([{ where, what, received: printed.trim() }], 1);
  }
  const problems = targets.flatMap((target, index) => {
    const [answer, call] = [answers[index], calls[index]];
    return answer === undefined || call === undefined ? [] : problemOf(where, cluster, target, call, answer);
  });
  if (problems.length > 0) throw new ProblemsError(problems, 1);
  return targets
    .map(({ call, callee }, index) =>
      summary(call, callee?.app === undefined ? call.workload : (answers[index]?.servedBy ?? '')),
    )
    .join(', ');
}

/**
 * Labels of a caller's probe: what its Sidecar and the policies of its traffic go by, and on an Istio of others what asks for a proxy, as
 * a namespace that the mesh shares need not.
 */
export function probeLabels(
  { name: mesh, existing }: Pick<MeshModel, 'name' | 'existing'>,
  { name }: Pick<WorkloadModel, 'name'>,
): Readonly<Record<string, string>> {
  const own = { [nameLabel]: name, ...managedLabels(mesh) };
  if (existing === undefined) return own;
  const ofRevision = existing.revision === defaultRevision ? {} : { [revisionLabel]: existing.revision };
  return { ...own, 'sidecar.istio.io/inject': 'true', ...ofRevision };
}

/**
 * A name that is a caller's alone, and a DNS label however long the caller's is.
 * @param does - what its pod does. @default probe
 */
export function podName(
  { name, namespace }: Pick<WorkloadModel, 'name' | 'namespace'>,
  does: 'probe' | 'connect' | 'request' = 'probe',
): string {
  const digest = createHash('sha256').update(`${namespace}/${name}`).digest('hex').slice(0, 8);
  return `meshwright-${does}-${name.slice(0, 25).replace(/-+$/, '')}-${digest}`;
}

function problemOf(
  where: string,
  cluster: string,
  { callee, title }: Target,
  call: ProbeCall,
  { servedBy, status, message }: ProbeAnswer,
): readonly Problem[] {
  if (callee === undefined) {
    if (isExpected({ servedBy, status, message }, call)) return [];
    return [
      {
        where: `${where} calls ${title}, a service of others, ${call.path}`,
        what: 'the call does not get to the service',
        received: `gRPC status ${status === '' ? 'none' : status}: ${message}`,
        allowed: 'any answer of the service',
        fix: 'look whether it has ready pods, serves gRPC on that port, and is allowed to take the call by an AuthorizationPolicy of its owners',
      },
    ];
  }
  const clusters = answeringClusters(callee, [cluster]);
  const isRight =
    isExpected({ servedBy, status, message }, call) &&
    (call.answeredBy === 'proxy' || call.foreign === true || clusters.includes(clusterOf(servedBy)));
  if (isRight) return [];
  const received = servedBy === '' ? `gRPC status ${status === '' ? 'none' : status}: ${message}` : servedBy;
  return [
    call.answeredBy === 'service'
      ? {
          where: `${where} calls ${callee.name}, ${call.path}`,
          what: 'the call is not answered by the service, where it should be',
          received,
          allowed: `an answer of ${callee.name} in ${clusters.join(' or ')}`,
        }
      : {
          where: `${where} calls ${callee.name}, ${call.path}`,
          what: `the call, of a method that ${callee.name} grants to nobody, is not refused by its proxy`,
          received,
          allowed: 'gRPC status 7 (PERMISSION_DENIED)',
        },
  ];
}

function summary({ workload, namespace, path, answeredBy, existing }: CallModel, servedBy: string): string {
  const method = path.split('/').at(-1) ?? path;
  if (existing === true) return `${namespace}/${workload} of others answers`;
  return answeredBy === 'service'
    ? `${method} answered by ${servedBy}`
    : `${workload}'s proxy knows it, and refuses what is not granted`;
}

function listed(parts: readonly string[]): string {
  return new Intl.ListFormat('en').format(parts);
}
