import type { k8s } from 'cdk8s-plus-28';
import { k8s as kube } from 'cdk8s-plus-28';
import type { ForeignConfig } from '../../../apps/config/app-config.ts';
import type { Probe } from '../../../apps/config/probes.ts';
import { secondsAround } from '../../../apps/config/shutdown.ts';
import { lead, variable } from './container.ts';
import { quantities, restrictedContainer } from './pod-defaults.ts';

/**
 * A container whose image is built elsewhere: what is declared of it, and nothing that the apps' runtime would read. It is held to
 * Pod Security `restricted` as every other; whom it runs as, the image says.
 * @param image - whole reference
 */
export function foreignContainer(config: ForeignConfig, image: string): k8s.Container {
  const { name, env, resources, foreign } = config;
  const { command, args, user, probes } = foreign;
  const named = Object.entries(foreign.tcp ?? {}).map(([port, numbers]): [string, number] => [
    port,
    numbers.port,
  ]);
  // Beside a gRPC server, the port `http` is that of the HTTP gateway's container.
  const { grpc, http = 0 } = config.ports;
  const own = grpc === undefined ? (['http', http] as const) : (['grpc', grpc] as const);
  const served = foreign.tcp === undefined ? [own] : named;
  const [, main] = served[0] ?? ['', 0];
  const variables = Object.entries(env).map(([key, value]) => variable(key, value));
  const ports = served.map(([port, containerPort]) => ({ name: port, containerPort, protocol: 'TCP' }));
  return {
    name,
    image,
    // References name content: one that is there is the right one.
    imagePullPolicy: 'IfNotPresent',
    ...(command === undefined ? {} : { command: [...command] }),
    ...(args === undefined ? {} : { args: [...args] }),
    // The API server keeps no empty lists: what has one is never just as it was applied.
    ...(variables.length === 0 ? {} : { env: variables }),
    ...(ports.length === 0 ? {} : { ports }),
    resources: { requests: quantities(resources.requests), limits: quantities(resources.limits) },
    securityContext: { ...restrictedContainer, ...(user === undefined ? {} : { runAsUser: user }) },
    ...probe('startupProbe', probes.startup, main, { periodSeconds: 1, failureThreshold: 60 }),
    ...probe('readinessProbe', probes.readiness, main, { periodSeconds: 5, failureThreshold: 2 }),
    ...probe('livenessProbe', probes.liveness, main, { periodSeconds: 10, failureThreshold: 3 }),
  };
}

function probe(
  name: 'startupProbe' | 'readinessProbe' | 'livenessProbe',
  asked: Probe,
  port: number,
  times: Pick<k8s.Probe, 'periodSeconds' | 'failureThreshold'>,
): Pick<k8s.Container, typeof name> {
  if (asked === 'none') return {};
  return { [name]: { ...action(asked, port), ...times, timeoutSeconds: 2 } };
}

function action(asked: Exclude<Probe, 'none'>, port: number): k8s.Probe {
  if ('exec' in asked) return { exec: { command: [...asked.exec] } };
  if ('grpc' in asked) return { grpc: { port, ...asked.grpc } };
  if ('tcp' in asked) return { tcpSocket: { port: kube.IntOrString.fromNumber(asked.tcp.port ?? port) } };
  return { httpGet: { path: asked.http.path, port: kube.IntOrString.fromNumber(asked.http.port) } };
}

/**
 * Keeps the kubelet from telling a container to end until callers know that its endpoint is gone: a server that knows nothing of
 * this may stop at once then. The kubelet sleeps by itself, so that the image needs no shell
 * (https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/; on by default from Kubernetes 1.30).
 * @param behindGateway - whether another container of the pod passes calls on to it, so that it has to outlast that one
 */
export function waitBeforeEnd(behindGateway: boolean) {
  const seconds = secondsAround.endpointRemoval + (behindGateway ? lead : 0);
  return { preStop: { sleep: { seconds } } };
}
