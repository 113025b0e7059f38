import type { k8s } from 'cdk8s-plus-28';
import type { ExtraContainer, Hook, InitContainer, PodConfig } from '../../../../apps/config/pod/pod.ts';
import { probesOf } from '../../../../apps/config/pod/rules.ts';
import type { Probe, Probes } from '../../../../apps/config/probes.ts';
import { imageAt } from '../../../../core/image-reference.ts';
import { variable } from '../container.ts';
import { restrictedContainer } from '../pod-defaults.ts';
import { waitBeforeEnd } from '../foreign-container.ts';
import { mountsOf } from './volumes.ts';

type Json = Readonly<Record<string, unknown>>;

/** What containers stand beside. */
export interface Beside {
  readonly imageHub: string;
  /** The service's own container, as Kubernetes writes it. */
  readonly own: { readonly image?: string; readonly securityContext?: Json };
}

/** Containers that run before the others, as Kubernetes writes them. */
export function initContainersOf(pod: PodConfig, beside: Beside): readonly Json[] {
  return (pod.initContainers ?? []).map((one: InitContainer) => ({
    ...container(one, pod, beside),
    ...(one.sidecar === true ? { restartPolicy: 'Always' } : {}),
    ...lifecycle(one),
  }));
}

/** Containers that run beside a service's own, as Kubernetes writes them. What it may need of them in its last calls is there until then. */
export function extraContainersOf(pod: PodConfig, beside: Beside): readonly Json[] {
  return (pod.containers ?? []).map((one) => ({
    ...container(one, pod, beside),
    ...lifecycle(one, waitBeforeEnd(false).preStop),
  }));
}

/** References of their images. */
export function extraImagesOf(pod: PodConfig, imageHub: string): readonly string[] {
  return [...(pod.initContainers ?? []), ...(pod.containers ?? [])].flatMap(({ image }) =>
    image === undefined ? [] : [imageAt(imageHub, image)],
  );
}

function container(one: ExtraContainer, pod: PodConfig, { imageHub, own }: Beside): Json {
  const { name, image, command, args, env = {}, resources, user, mounts = {}, ports = [] } = one;
  const variables = Object.entries(env).map(([key, value]) => written(variable(key, value)));
  const mounted = mountsOf(mounts, pod);
  return {
    name,
    image: image === undefined ? own.image : imageAt(imageHub, image),
    imagePullPolicy: 'IfNotPresent',
    ...(command === undefined ? {} : { command: [...command] }),
    ...(args === undefined ? {} : { args: [...args] }),
    ...(variables.length === 0 ? {} : { env: variables }),
    ...(ports.length === 0
      ? {}
      : { ports: ports.map((containerPort) => ({ containerPort, protocol: 'TCP' })) }),
    resources,
    securityContext: {
      ...(image === undefined ? own.securityContext : restrictedContainer),
      ...(user === undefined ? {} : { runAsUser: user }),
    },
    ...(mounted.length === 0 ? {} : { volumeMounts: mounted }),
    ...Object.fromEntries(
      probesOf(one).flatMap(([stage, probe]) =>
        probe === 'none' ? [] : [[`${stage}Probe`, { ...action(probe, ports[0] ?? 0), ...times[stage] }]],
      ),
    ),
  };
}

/** A variable as cdk8s would write it. */
function written({ name, value, valueFrom }: k8s.EnvVar): Json {
  const of = valueFrom?.resourceFieldRef;
  if (of?.divisor === undefined) return { name, ...(valueFrom === undefined ? { value } : { valueFrom }) };
  return { name, valueFrom: { resourceFieldRef: { ...of, divisor: of.divisor.value } } };
}

/** As those of a service's own container. */
const times: Readonly<Record<keyof Probes, object>> = {
  startup: { periodSeconds: 1, failureThreshold: 60, timeoutSeconds: 2 },
  readiness: { periodSeconds: 5, failureThreshold: 2, timeoutSeconds: 2 },
  liveness: { periodSeconds: 10, failureThreshold: 3, timeoutSeconds: 2 },
};

function action(probe: Exclude<Probe, 'none'>, port: number): Json {
  if ('grpc' in probe) return { grpc: { port, ...probe.grpc } };
  if ('tcp' in probe) return { tcpSocket: { port: probe.tcp.port ?? port } };
  return hookOf(probe);
}

/** What the kubelet does, as Kubernetes writes it. */
export function hookOf(hook: Hook): Json {
  if ('exec' in hook) return { exec: { command: [...hook.exec] } };
  return { httpGet: { path: hook.http.path, port: hook.http.port } };
}

function lifecycle({ postStart, preStop }: ExtraContainer, usual?: Json): Json {
  const end =
    preStop === undefined
      ? usual
      : 'sleepSeconds' in preStop
        ? { sleep: { seconds: preStop.sleepSeconds } }
        : hookOf(preStop);
  const said = {
    ...(postStart === undefined ? {} : { postStart: hookOf(postStart) }),
    ...(end === undefined ? {} : { preStop: end }),
  };
  return Object.keys(said).length === 0 ? {} : { lifecycle: said };
}
