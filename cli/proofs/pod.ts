import { randomBytes } from 'node:crypto';
import { ProblemsError } from '../../core/problem.ts';
import { waitFor } from '../../core/wait.ts';
import { managedByLabel, manager } from '../../charts/model/labels.ts';
import { deleteOptions } from '../../infra/kube/kube-client.ts';
import type { KubeClient } from '../../infra/kube/kube-client.ts';
import { KubeError } from '../../infra/kube/kube-http.ts';
import { count, field, list, text, type KubeObject } from '../../infra/kube/kube-object.ts';

const podMs = 90_000;
const lifetimeSeconds = 300;

/** A pod that runs one program of Node and ends. */
export interface Program {
  /** Of the pod, before a random part: nobody else has a pod of the name, and two runs have two. */
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** @default - none */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** @default - the namespace's own, `default` */
  readonly serviceAccountName?: string;
  /** An image of ours: Node is at /usr/bin/node. */
  readonly image: string;
  /** CommonJS, which gets `args` from `process.argv[1]` on. */
  readonly source: string;
  readonly args: readonly string[];
}

/**
 * Runs a program in a pod of its own, and returns what it printed. The pod is deleted after.
 * @throws ProblemsError (exit 1) when it fails, with what it printed, or does not end in time
 */
export async function runProgram(
  client: KubeClient,
  program: Program,
  signal?: AbortSignal,
): Promise<string> {
  const pod = podOf(program);
  const { name, namespace } = pod.metadata;
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
  const title = `pod ${namespace}/${name} in ${client.cluster}`;
  const within = { timeoutMs: podMs, ...(signal && { signal }) };
  await removeLeft(client, program, signal);
  let uid: string | undefined;
  try {
    const made = await client.request('POST', `/api/v1/namespaces/${namespace}/pods`, {
      body: pod,
      ...(signal && { signal }),
    });
    uid = text(made, 'metadata', 'uid');
    const failure = await waitFor({ what: `${title} to end`, ...within }, async () => {
      const live = await client.get(pod, signal);
      if (live !== undefined && text(live, 'metadata', 'uid') !== uid)
        throw new ProblemsError([{ where: title, what: 'was replaced by another one of its name' }], 1);
      const ended = endOf(live);
      return ended === undefined
        ? { done: false, because: `its phase is ${text(live, 'status', 'phase') ?? 'gone'}` }
        : { done: true, value: ended };
    });
    const log = await client.request('GET', `${path}/log`, {
      query: { container },
      ...(signal && { signal }),
    });
    const printed = text(log, 'message') ?? '';
    if (failure === '') return printed;
    throw new ProblemsError([{ where: title, what: `ended with ${failure}`, received: printed.trim() }], 1);
  } finally {
    if (uid !== undefined) await removePod(client, path, uid);
  }
}

async function removePod(client: KubeClient, path: string, uid: string): Promise<void> {
  try {
    await client.request('DELETE', path, { body: deleteOptions(uid, { gracePeriodSeconds: 0 }) });
  } catch (error) {
    // Gone, or another one by now.
    if (!(error instanceof KubeError && [404, 409].includes(error.status))) throw error;
  }
}

/** Removes what interrupted runs left: what is younger than a pod may run may be that of another run, which reads its log. */
async function removeLeft(
  client: KubeClient,
  { name, namespace }: Program,
  signal: AbortSignal | undefined,
): Promise<void> {
  const type = await client.typeOf('v1', 'Pod', signal);
  if (type === undefined) return;
  const labelSelector = `${managedByLabel}=${manager}`;
  const pods = await client.list(type, { namespace, labelSelector, ...(signal && { signal }) });
  const left = pods.filter(
    (pod) =>
      pod.metadata.name.startsWith(`${name}-`) &&
      randomPart.test(pod.metadata.name.slice(name.length)) &&
      Date.now() - Date.parse(text(pod, 'metadata', 'creationTimestamp') ?? '') > 2 * lifetimeSeconds * 1000,
  );
  for (const pod of left)
    await removePod(
      client,
      `/api/v1/namespaces/${namespace}/pods/${pod.metadata.name}`,
      text(pod, 'metadata', 'uid') ?? '',
    );
}

const randomPart = /^-[0-9a-f]{8}$/;

const container = 'program';

/** What a pod's program failed with, empty when with nothing; undefined while it runs. Not by the phase alone: its proxy may go on. */
function endOf(pod: KubeObject | undefined): string | undefined {
  const [status] = list(pod, 'status', 'containerStatuses').filter(
    (each) => text(each, 'name') === container,
  );
  const ended = field(status, 'state', 'terminated');
  if (ended !== undefined) {
    const code = count(ended, 'exitCode');
    return code === 0 ? '' : `exit code ${code} (${text(ended, 'reason') ?? 'Error'})`;
  }
  if (text(pod, 'status', 'phase') !== 'Failed') return undefined;
  return text(pod, 'status', 'message') ?? text(pod, 'status', 'reason') ?? 'phase Failed';
}

function podOf({ name, namespace, labels, annotations, serviceAccountName, image, source, args }: Program) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${name}-${randomBytes(4).toString('hex')}`,
      namespace,
      labels: { [managedByLabel]: manager, ...labels },
      ...(annotations !== undefined && { annotations }),
    },
    spec: {
      restartPolicy: 'Never',
      // Should nobody be left to delete it.
      activeDeadlineSeconds: lifetimeSeconds,
      automountServiceAccountToken: false,
      ...(serviceAccountName !== undefined && { serviceAccountName }),
      // Nobody ever says that it holds: the pod is never ready, so that no Service sends it traffic.
      readinessGates: [{ conditionType: 'meshwright/never' }],
      // Of the pod, as its proxy's containers need it, too: Pod Security's `restricted`.
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: container,
          image,
          command: ['/usr/bin/node', '-e', source, ...args],
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '128Mi' } },
        },
      ],
    },
  };
}
