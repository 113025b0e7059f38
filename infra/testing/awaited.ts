import { awaitReady } from '../apply/await-ready.ts';
import { podTimes } from '../apply/pod-watch.ts';
import type { PodTimes } from '../apply/pod-watch.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { readinessOf } from '../plan/readiness.ts';
import { KubeApi } from './kube-api.ts';
import { deploymentOf, podOf, replicaSetOf } from './pods.ts';
import type { PodState } from './pods.ts';

/** Times of a wait in which nothing has to be waited for. */
export const quick: PodTimes = { ...podTimes, interval: 0, grace: 0, starting: 0, gather: 600 };
const limit = 30_000;

/** A cluster `east` whose workloads are awaited, and what is said meanwhile. */
export class Awaited {
  readonly api: KubeApi;
  lines: string[] = [];
  /** Sees each line that is said. */
  onLine: (line: string) => void = () => undefined;

  private constructor(api: KubeApi) {
    this.api = api;
  }

  static async start(): Promise<Awaited> {
    return new Awaited(await KubeApi.start('east'));
  }

  /** Forgets all that was stored and said. */
  reset(): void {
    this.api.objects.clear();
    this.api.requests.length = 0;
    this.api.intervene = () => undefined;
    this.lines = [];
    this.onLine = () => undefined;
  }

  /**
   * @param available - how long workloads may take, in milliseconds
   * @param ended - how long Jobs may take beyond their own limits
   */
  wait(
    objects: readonly KubeObject[] = [deploymentOf()],
    times: Partial<PodTimes> = {},
    available = limit,
    ended = limit,
  ): Promise<void> {
    return awaitReady(this.api.client, readinessOf(objects), {
      namespaces: [],
      report: (line) => {
        this.lines.push(line);
        this.onLine(line);
      },
      limits: {
        ...{ active: limit, established: limit, scheduled: limit, complete: limit },
        ...{ address: limit, answering: limit, available, ended },
      },
      pods: { ...quick, ...times },
    });
  }

  /** Stores a Deployment, the catalog unless named otherwise, with a pod of its last change in this state. */
  store(state: PodState, name = 'catalog'): void {
    this.api.put(deploymentOf(name));
    this.api.put(replicaSetOf(name, 2, `rs-${name}`));
    const pod = podOf(`rs-${name}`, state, `${name}-1`);
    this.api.put({ ...pod, metadata: { ...pod.metadata, labels: { app: name } } });
  }

  /** Stores a warning about the catalog's pod. */
  warn(reason: string, message: string, rest: object = {}, fieldPath = ''): void {
    this.api.put({
      apiVersion: 'v1',
      kind: 'Event',
      type: 'Warning',
      metadata: { name: `e-${reason}`, namespace: 'shop' },
      involvedObject: { uid: 'uid-catalog-1', fieldPath },
      reason,
      message,
      lastTimestamp: '2030-01-01T00:00:00Z',
      ...rest,
    });
  }

  /** Answers for logs. */
  logs(answer: (previous: boolean) => { status: number; body: unknown }): void {
    this.api.intervene = ({ path, query }) =>
      path.endsWith('/log') ? answer(query['previous'] === 'true') : undefined;
  }

  /** How commands for this cluster begin. */
  get kubectl(): string {
    return `kubectl --kubeconfig ${this.api.kubeconfig} --context east -n shop`;
  }
}
