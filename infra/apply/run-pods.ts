import { count, field, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { troublesOf } from '../kube/pod-trouble.ts';
import type { Trouble } from '../kube/pod-trouble.ts';

const proxy = 'istio-proxy';

/** Whether a pod has ended, well or not. */
export function hasEnded(pod: KubeObject): boolean {
  return ['Succeeded', 'Failed'].includes(text(pod, 'status', 'phase') ?? '');
}

/** {@link troublesOf} of a pod of a Job, whose containers end: that is no trouble when they end well, unless their proxy runs on. */
export function troublesOfRun(pod: KubeObject): readonly Trouble[] {
  const found = troublesOf(pod).filter(
    ({ container }) => container === undefined || !endedWell(pod, container),
  );
  const runsOn = proxyRunsOn(pod);
  return runsOn === undefined ? found : [runsOn, ...found];
}

function endedWell(pod: KubeObject, container: string): boolean {
  const ended = field(statusOf(pod, container), 'state', 'terminated');
  return ended !== undefined && count(ended, 'exitCode') === 0;
}

function statusOf(pod: KubeObject, container: string): unknown {
  return list(pod, 'status', 'containerStatuses').find((status) => text(status, 'name') === container);
}

/** A proxy that is a container as the others are: nothing ends it when they have ended, and the pod never ends. */
function proxyRunsOn(pod: KubeObject): Trouble | undefined {
  const names = list(pod, 'spec', 'containers').map((container) => text(container, 'name') ?? '');
  const others = names.filter((name) => name !== proxy);
  const isOver = (name: string) => field(statusOf(pod, name), 'state', 'terminated') !== undefined;
  if (!names.includes(proxy) || others.length === 0 || !others.every(isOver) || isOver(proxy))
    return undefined;
  return {
    pod,
    container: proxy,
    reason: 'ProxyRunsOn',
    what: 'runs on though the other containers have ended, as it is no native sidecar: the pod never ends',
    outlook: 'never',
    fix: 'have the injector of Istio make native sidecars, which it does on Kubernetes 1.29 and newer',
    restarts: 0,
  };
}
