import type { k8s } from 'cdk8s-plus-28';
import { k8s as kube } from 'cdk8s-plus-28';
import type { AppConfig, EnvValue } from '../../../apps/config/app-config.ts';
import { metricsPorts } from '../../../apps/config/ports.ts';
import { secondsAround } from '../../../apps/config/shutdown.ts';
import { quantities, restrictedContainer } from './pod-defaults.ts';
import { metricsPort } from '../telemetry/app-metrics.ts';

export interface AppContainerProps {
  readonly name: string;
  readonly image: string;
  readonly config: AppConfig;
  /** Ports this container listens on. */
  readonly ports: AppConfig['ports'];
  /** Cluster the pod runs in, which the app names in its answers. */
  readonly cluster: string;
  /** Environment that the charts know of, beside what every container gets. @default - none */
  readonly env?: Readonly<Record<string, string>>;
  /** What is mounted from the pod's volumes. @default - nothing */
  readonly volumeMounts?: readonly k8s.VolumeMount[];
  /** How the pod ends, when that is for another app's config.yml to say. @default - what `config` says */
  readonly shutdown?: AppConfig['shutdown'];
  /** Port of the pod's loopback for its metrics. @default - that of the pod's app */
  readonly metricsPort?: number;
  /** Whether another container of the pod passes calls on to this one, so that it has to outlast it. @default false */
  readonly behindGateway?: boolean;
}

/** User and group of the app images. */
const appUser = 65532;

/** A container of one of the project's apps: what its config.yml says, held to Pod Security `restricted`. */
export function appContainer(props: AppContainerProps): k8s.Container {
  const { name, image, config, ports, volumeMounts } = props;
  return {
    name,
    image,
    // Tags name content: one that is there is the right one.
    imagePullPolicy: 'IfNotPresent',
    env: environment(props),
    ports: (['grpc', 'http'] as const).flatMap((port) => {
      const containerPort = ports[port];
      return containerPort === undefined ? [] : [{ name: port, containerPort, protocol: 'TCP' }];
    }),
    resources: {
      requests: quantities(config.resources.requests),
      limits: quantities(config.resources.limits),
    },
    securityContext: { ...restrictedContainer, runAsUser: appUser, runAsGroup: appUser },
    ...(volumeMounts === undefined ? {} : { volumeMounts: [...volumeMounts] }),
    ...probes(ports),
  };
}

function environment(props: AppContainerProps): k8s.EnvVar[] {
  const { cluster, image, ports, env = {}, config } = props;
  // What names content by digest alone has no version to tell.
  const [, version] = /:([^:@/]+)(?:@|$)/.exec(image) ?? [];
  const fromPod = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  const given: Readonly<Record<string, EnvValue>> = {
    ...(ports.grpc === undefined ? {} : { GRPC_PORT: String(ports.grpc) }),
    ...(ports.http === undefined ? {} : { HTTP_PORT: String(ports.http) }),
    [metricsPort]: String(props.metricsPort ?? metricsPorts.app),
    ...(version === undefined ? {} : { SERVICE_VERSION: version }),
    ...drain(props),
    ...env,
    ...config.env,
  };
  return [
    { name: 'CLUSTER_NAME', value: cluster },
    fromPod('POD_NAME', 'metadata.name'),
    fromPod('POD_NAMESPACE', 'metadata.namespace'),
    ...Object.entries(given).map(([name, value]) => variable(name, value)),
  ];
}

/** A variable of a container. */
export function variable(name: string, value: EnvValue): k8s.EnvVar {
  if (typeof value === 'string') return { name, value: literal(value) };
  if ('value' in value) return { name, value: literal(value.value) };
  if ('field' in value) return { name, valueFrom: { fieldRef: { fieldPath: value.field } } };
  if ('resource' in value) {
    const divisor = value.divisor === undefined ? {} : { divisor: kube.Quantity.fromString(value.divisor) };
    return { name, valueFrom: { resourceFieldRef: { resource: value.resource, ...divisor } } };
  }
  const { key } = value;
  return 'secret' in value
    ? { name, valueFrom: { secretKeyRef: { name: value.secret, key } } }
    : { name, valueFrom: { configMapKeyRef: { name: value.configMap, key } } };
}

/** Kubernetes makes one dollar of two, but for those before a parenthesis, which keep `$(NAME)` a text: each is written twice. */
function literal(text: string): string {
  return text.replaceAll(/\${2,}(?![$(])/g, (dollars) => dollars + dollars);
}

/** What goes in by the gateway at the last moment still has to find the app: it takes calls a second longer. */
export const lead = 1;

/** The drain budget, as the apps' runtime reads it: how long calls are still taken, and may then take to end. */
function drain({ config, shutdown = config.shutdown, behindGateway = false }: AppContainerProps) {
  const longer = behindGateway ? lead : 0;
  const delay = secondsAround.endpointRemoval + longer;
  return {
    DRAIN_DELAY_MS: String(delay * 1000),
    DRAIN_LIMIT_MS: String((shutdown.drainSeconds - longer) * 1000),
  };
}

/**
 * gRPC health checks (https://grpc.io/docs/guides/health-checking/), or for an app that only speaks HTTP the paths
 * `/healthz` and `/readyz`. A start may take 60 s; after it, liveness takes over.
 */
function probes({
  grpc,
  http,
}: AppConfig['ports']): Pick<k8s.Container, 'startupProbe' | 'readinessProbe' | 'livenessProbe'> {
  if (grpc === undefined && http === undefined) return {};
  const check = (path: string): k8s.Probe =>
    grpc === undefined
      ? { httpGet: { path, port: kube.IntOrString.fromString('http') } }
      : { grpc: { port: grpc } };
  return {
    startupProbe: { ...check('/healthz'), periodSeconds: 1, failureThreshold: 60, timeoutSeconds: 2 },
    readinessProbe: { ...check('/readyz'), periodSeconds: 5, failureThreshold: 2, timeoutSeconds: 2 },
    livenessProbe: { ...check('/healthz'), periodSeconds: 10, failureThreshold: 3, timeoutSeconds: 2 },
  };
}
